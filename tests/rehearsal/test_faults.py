from __future__ import annotations

import pytest

from curtainup.errors import RefusedError
from curtainup.rehearsal.faults import Fault, Faults


def test_a_fault_strikes_live_unless_another_environment_is_named() -> None:
    faults = Faults.parse(["crash", "quota@staging"])
    assert faults.all == (Fault("crash", "live"), Fault("quota", "staging"))
    assert faults.strikes("crash", "hello-live-r1")
    assert faults.strikes("crash", "hello-live")
    assert not faults.strikes("crash", "hello-staging-r1")
    assert not faults.strikes("crash", "olive-staging")
    assert faults.strikes("quota", "hello-staging")
    assert not faults.strikes("quota", "hello-live")


def test_some_faults_strike_each_resource_only_so_often() -> None:
    faults = Faults.parse(["throttle"])
    assert [faults.strikes_first("throttle", "hello-live", 2) for _ in range(3)] == [True, True, False]
    assert faults.strikes_first("throttle", "other-live", 2)


@pytest.mark.parametrize("text", ["fire", "crash@", ""])
def test_what_is_no_fault_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Faults.parse([text])
    assert "slow-start" in str(refused.value.fix)
