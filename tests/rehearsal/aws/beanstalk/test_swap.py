"""A swap of names on Beanstalk's stand-in whose process is gone: Beanstalk goes on, and swaps once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curtainup.rehearsal.aws.beanstalk import swap
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

REGION = "eu-west-1"
NOBODY = 2**22 + 1
"""No process: beyond the largest number that Linux gives one."""


class Machines:
    """Keeps to which environment each name leads."""

    def __init__(self) -> None:
        self.led: list[tuple[str, str]] = []

    def balancer(self, front: str, server: Any) -> None:
        self.led.append((front, server.release))


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    found = Machines()

    @contextmanager
    def opened(_: Home) -> Iterator[Machines]:
        yield found

    monkeypatch.setattr(swap, "machines", opened)
    return found


def beanstalk(folder: Path, ends: float) -> Beanstalk:
    """Beanstalk with two environments in the middle of a swap that a process has left."""
    service = Beanstalk(Cloud(Home(folder), Faults()), REGION)
    with service.state() as state:
        for one, other in (("r1", "r2"), ("r2", "r1")):
            state["environments"][f"e-{one}"] = {
                "id": f"e-{one}",
                "name": f"shop-live-{one}",
                "application": "shop-live",
                "prefix": f"name-{one}",
                "cname": f"name-{one}.example",
                "front": f"front-{one}",
                "inner": "10.0.0.1:80",
                "status": "Updating",
                "created": 0.0,
                "updated": 0.0,
                "by": NOBODY,
                "swapping": {"with": f"e-{other}", "by": NOBODY, "ends": ends},
            }
    return service


def names(service: Beanstalk) -> dict[str, tuple[str, str]]:
    return {one["id"]: (one["prefix"], one["status"]) for one in service.environments()}


def test_it_swaps_once_however_many_look(tmp_path: Path, machines: Machines) -> None:
    """Whoever lists the environments looks at each of them as it was before the first was finished."""
    service = beanstalk(tmp_path, ends=0.0)
    found = [swap.resumed(service, one) for one in service.environments()]
    assert names(service) == {"e-r1": ("name-r2", "Ready"), "e-r2": ("name-r1", "Ready")}
    assert [one["prefix"] for one in found] == ["name-r2", "name-r1"]
    assert machines.led == [("front-r2", "e-r1"), ("front-r1", "e-r2")]


def test_it_goes_on_until_its_time_is_over(tmp_path: Path, machines: Machines) -> None:
    service = beanstalk(tmp_path, ends=time.time() + 3600)
    found = [swap.resumed(service, one) for one in service.environments()]
    assert [one["status"] for one in found] == ["Updating", "Updating"]
    assert names(service) == {"e-r1": ("name-r1", "Updating"), "e-r2": ("name-r2", "Updating")}
    assert machines.led == []
