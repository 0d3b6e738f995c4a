"""Schedules run in the image of the release that works, go on through a deployment, and are never doubled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curtainup.errors import ConfigError, ProcessFailed, RefusedError
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(reason="test_a_schedule_goes_on_in_the_release_that_works shows how one runs")
TICK = """\
import os, sys
print("tick of", os.environ["VERSION"], os.environ["PYM_ENV"], flush=True)
assert os.environ["HELLO_SECRET"]
sys.exit(int(os.environ.get("TICK_EXIT", "0")))
"""
EVERY_SECOND = {"command": "python3 tick.py", "cron": "* * * * * *", "timezone": "Europe/Stockholm"}


def runs(service: Service, environment: str = "live") -> list[dict[str, Any]]:
    """What the scheduler of the release that works remembers."""
    [name] = [
        str(one.name)
        for one in service.host.client.containers.list(
            filters={
                "label": [
                    f"curtainup.service={service.name}",
                    f"curtainup.environment={environment}",
                    "curtainup.process=scheduler",
                ]
            }
        )
    ]
    told = service.host.client.containers.get(name).exec_run(
        ["python3", "-BEs", "/curtainup/scheduler.pyz", "runs"]
    )
    assert told.exit_code == 0, told.output
    found: list[dict[str, Any]] = json.loads(told.output)
    return found


def test_a_schedule_goes_on_in_the_release_that_works(service: Service) -> None:
    service.write("tick.py", TICK)
    service.configure(schedule={"tick": EVERY_SECOND})
    service.deploy()
    print(json.dumps(runs(service), indent=1))
    print(service.run("status").out)
    print(service.run("logs", "--process", "scheduler").out)
    updates = service.updates()
    service.deploy()
    assert service.updates() == updates
    service.greet("second")
    service.deploy()
    print(json.dumps(runs(service), indent=1))
    print(service.run("status").out)
    assert_nothing_left(service)
