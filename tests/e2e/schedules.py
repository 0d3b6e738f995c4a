"""What the scheduler of a service's environment remembers, asked without a command of curtainup's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from docker.models.containers import Container

from tests.e2e.service import PATIENCE, Service

Runs = list[dict[str, Any]]


def scheduler(service: Service, environment: str = "live") -> Container:
    """The container of the scheduler that works."""
    wanted = [
        f"curtainup.service={service.name}",
        f"curtainup.environment={environment}",
        "curtainup.process=scheduler",
    ]
    [found] = service.host.client.containers.list(filters={"label": wanted})
    return found


def runs(service: Service, environment: str = "live") -> Runs:
    """What it remembers, the oldest first."""
    told = scheduler(service, environment).exec_run(["python3", "-BEs", "/curtainup/scheduler.pyz", "runs"])
    assert told.exit_code == 0, told.output
    assert isinstance(told.output, bytes)
    found: Runs = json.loads(told.output)
    return found


def await_runs(service: Service, is_enough: Callable[[Runs], bool], what: str) -> Runs:
    """Wait until what it remembers is enough."""
    deadline = time.monotonic() + PATIENCE
    while not is_enough(found := runs(service)):
        assert time.monotonic() < deadline, f"{what}: {found}"
        time.sleep(0.2)
    return found


def seen(service: Service, schedule: str, release: str, *, after: str = "") -> None:
    """Wait until a schedule has run well in a release, and in another one before that."""

    def is_there(found: Runs) -> bool:
        order = [one["release"] for one in found if one["schedule"] == schedule and one["outcome"] == "ok"]
        if after:
            order = order[order.index(after) :] if after in order else []
        return release in order

    await_runs(service, is_there, f"{schedule} has run in {release}")
