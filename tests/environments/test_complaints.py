"""Everything that stands in the way is told at once, and nobody waits longer for it than for the slowest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from curtainup.environments import complaints
from curtainup.errors import CurtainupError, RefusedError, SetupError

NAME = RefusedError("the name is taken", where="shop-live", fix="choose another")
SIZE = RefusedError(
    "too large", where="shop-staging", fix="lower gcp_memory", detail="Invalid value\nfor memory"
)
LOGIN = SetupError("no credentials", where="sts", fix="aws configure")


def _fails(error: CurtainupError) -> Any:
    def check() -> None:
        raise error

    return check


class Asking:
    """A target that is asked."""

    def __init__(self, answer: CurtainupError | None) -> None:
        self.answer = answer

    def complaint(self) -> CurtainupError | None:
        return self.answer


def _rollouts(*answers: CurtainupError | None) -> Any:
    return [SimpleNamespace(target=Asking(one)) for one in answers]


def test_each_check_is_made_whatever_another_says() -> None:
    with pytest.raises(SetupError) as caught:
        complaints.require([_fails(LOGIN), lambda: None, _fails(NAME), _fails(SIZE)])
    error = caught.value
    assert error.what == "3 things stand in the way"
    assert error.exit_code == LOGIN.exit_code
    assert str(error.detail).splitlines() == [
        "- no credentials (sts)",
        "    fix: aws configure",
        "- the name is taken (shop-live)",
        "    fix: choose another",
        "- too large (shop-staging)",
        "    Invalid value",
        "    for memory",
        "    fix: lower gcp_memory",
    ]


def test_one_alone_is_told_as_it_is_and_the_same_twice_is_one() -> None:
    with pytest.raises(SetupError) as caught:
        complaints.require([_fails(LOGIN), _fails(LOGIN)])
    assert caught.value is LOGIN


def test_nothing_in_the_way_is_no_error() -> None:
    complaints.require([lambda: None])
    with complaints.asked(_rollouts(None, None)):
        pass
    with complaints.asked([]):
        pass


def test_all_clouds_are_asked_beside_the_block() -> None:
    done = []
    with (
        pytest.raises(RefusedError, match="2 things stand in the way"),
        complaints.asked(_rollouts(NAME, SIZE)),
    ):
        done.append("rendered")
    assert done == ["rendered"]


def test_an_error_of_the_block_comes_first() -> None:
    with pytest.raises(SetupError), complaints.asked(_rollouts(NAME)):
        raise LOGIN
