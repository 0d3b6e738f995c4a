"""What a command does whose forerunner was killed while Beanstalk was swapping the names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.amazon import environments, holder
from tests.e2e.load import users
from tests.e2e.rehearsed import BEANSTALK, Rehearsed, rehearsed
from tests.e2e.underway import underway

pytestmark = pytest.mark.matrix(
    reason="test_the_way_back_waits_for_a_swap_that_still_runs shows whom a swap is waited for"
)
HOUR = 3600.0


@pytest.fixture
def cut_off(tmp_path: Path, service_python: Path) -> Iterator[tuple[Rehearsed, str]]:
    """A service whose second deployment lost its power during the swap, and the release that served."""
    with rehearsed(tmp_path, service_python, **BEANSTALK) as one:
        first = one.release()
        one.greet("second")
        with underway(one, "rehearse", "--fault", "slow-swap") as run:
            run.wait_until(lambda: is_swapping(one), "the swap")
            run.lose_power()
        assert is_swapping(one), "nobody waits for it, and it goes on"
        end(one, time.time() + HOUR)
        yield one, first


def is_swapping(one: Rehearsed) -> bool:
    return any(found.get("swapping") for found in environments(one, "live").values())


def end(one: Rehearsed, at: float) -> None:
    """Let the swap that is under way end at a time, in seconds since 1970."""
    with one.rehearsal.cloud("beanstalk") as state:
        for found in state[BEANSTALK["aws_region"]]["environments"].values():
            if found.get("swapping"):
                found["swapping"]["ends"] = at


@pytest.mark.parametrize("source", ["what served", "what was to serve", "another one"])
def test_the_next_command_waits_for_the_end_of_the_swap(cut_off: tuple[Rehearsed, str], source: str) -> None:
    """Until then Beanstalk tells who held the name before; to believe that would leave the name elsewhere."""
    one, first = cut_off
    only: tuple[str, ...] = ("--only", "live")
    if source == "what served":
        one.git("checkout", "--quiet", "HEAD^")
    if source == "another one":
        one.greet("third")
        only = ()

    with users(one.url("live")) as answers, underway(one, "rehearse", *only) as run:
        run.wait_until(lambda: "is Updating since" in run.err, "the wait for the swap")
        end(one, 0)
        run.finish(0)

    assert answers.failures == []
    assert not is_swapping(one), "nothing moves any more"
    [serves] = [name for name, share in one.traffic("live").items() if share]
    assert (serves == first) is (source == "what served")
    assert holder(one) == serves
    assert one.serving("live") == serves
