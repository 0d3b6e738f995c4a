"""What a command does whose forerunner was killed while Beanstalk was swapping the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.amazon import environments, holder
from tests.e2e.load import users
from tests.e2e.rehearsed import BEANSTALK, Rehearsed, rehearsed
from tests.e2e.service import Finished
from tests.e2e.underway import underway

pytestmark = pytest.mark.matrix(
    reason="test_the_way_back_waits_for_a_swap_that_still_runs shows whom a swap is waited for"
)


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
        yield one, first


def is_swapping(one: Rehearsed) -> bool:
    return any(found.get("swapping") for found in environments(one, "live").values())


def back(one: Rehearsed) -> Finished:
    """Deploy what served: nothing would have to move, but for the swap that is under way."""
    one.git("checkout", "--quiet", "HEAD^")
    return one.deploy()


def again(one: Rehearsed) -> Finished:
    return one.deploy()


def third(one: Rehearsed) -> Finished:
    one.greet("third")
    return one.deploy()


@pytest.mark.parametrize(("command", "stays"), [(back, True), (again, False), (third, False)])
def test_the_next_command_waits_for_the_end_of_the_swap(
    cut_off: tuple[Rehearsed, str], command: Callable[[Rehearsed], Finished], stays: bool
) -> None:
    one, first = cut_off

    with users(one.url("live")) as answers:
        done = command(one)

    assert answers.failures == []
    assert "is Updating since" in done.err
    [serves] = [name for name, share in one.traffic("live").items() if share]
    assert (serves == first) is stays
    assert not is_swapping(one), "nothing moves any more"
    assert holder(one) == serves
    assert one.serving("live") == serves
