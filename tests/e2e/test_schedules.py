"""Schedules run in the image of the release that works, and go on through a deployment and a rollback."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.schedules import runs, seen
from tests.e2e.service import Service
from tests.scheduler.machine import assert_once_each

TICK = """\
import os, sys
print("tick of", os.environ["VERSION"], "with", os.environ["HELLO_SECRET"][:4], flush=True)
sys.exit(int(os.environ.get("TICK_EXIT", "0")))
"""
EVERY_SECOND = {"command": "python3 tick.py", "cron": "* * * * * *", "timezone": "Europe/Stockholm"}
YEARLY = {"command": "python3 tick.py", "cron": "0 0 1 1 *"}
"""One that is never on its way already when somebody runs it by hand."""


def test_schedules_go_on_in_the_release_that_works(deployed: Service) -> None:
    service = deployed
    service.write("tick.py", TICK)
    service.configure(
        schedule={"tick": EVERY_SECOND, "yearly": YEARLY}, environments={"staging": {"schedule": {}}}
    )
    told = service.run("preview", code=2).out
    assert "its schedules, once it has all traffic: tick starts, yearly starts" in told
    service.deploy()
    assert [one.outcome for one in service.last_run().steps if one.name == "local-schedules"] == ["passed"]
    first = service.serving("live")
    seen(service, "tick", first)

    service.greet("scheduled")
    service.deploy()
    second = service.serving("live")
    seen(service, "tick", second)
    service.run("rollback")
    seen(service, "tick", first, after=second)

    assert_once_each([one for one in runs(service) if one["due"]])

    status = next(one for one in service.status("live")["schedules"] if one["schedule"] == "tick")
    assert (status["schedule"], status["timezone"], status["failed"]) == ("tick", "Europe/Stockholm", [])
    assert status["last"]["outcome"] in {"ok", "running", "skipped"}
    assert service.status("staging")["schedules"] == []
    done = service.run("schedule", "run", "yearly")
    assert f"tick of {_version(service, first)} with open" in done.out
    assert "tick of" in service.run("logs", "--process", "scheduler").out
    assert json.loads(service.run("schedule", "check", "--json").out) == []
    assert_nothing_left(service)
    service.configure(schedule=None, environments=None)


def _version(service: Service, release: str) -> str:
    found: list[dict[str, Any]] = service.status("live")["releases"]
    return str(next(one["version"] for one in found if one["id"] == release))
