"""The swap's checks, and what it tells where it cannot go on; the rehearsal's endpoint answers for AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from components.beanstalk import cname_swap as declared
from curtainup.engine.provider import beanstalk, cname_move, cname_swap
from curtainup.engine.provider.kind import Partial
from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.errors import CurtainupError, EngineFailed, Interrupted, SetupError, StateError
from curtainup.platforms import amazon
from curtainup.rehearsal.aws import endpoint
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home

REGION = "eu-west-1"
NEVER = Event()
INPUTS: dict[str, Any] = {
    "region": REGION,
    "application": "shop-live",
    "prefix": "shop-live",
    "environments": {"r1": "shop-live-r1", "r2": "shop-live-r2"},
    "holder": "r2",
    "healthPath": "/ping",
    "timeout": 0,
    "generation": 1,
}


class Account:
    """What Beanstalk knows: environments that nothing runs behind, which is all that these tests need."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def has(self, name: str, prefix: str, status: str = "Ready") -> None:
        now = datetime.now(UTC).timestamp()
        record = {
            "id": f"e-{name}",
            "name": name,
            "application": "shop-live",
            "version": name[-2:],
            "description": "",
            "stack": "64bit Amazon Linux 2023 v4.7.2 running Docker",
            "tier": "WebServer",
            "prefix": prefix,
            "cname": f"{prefix}.{REGION}.elasticbeanstalk.com",
            "endpoint": "127.0.0.1:1",
            "created": now,
            "updated": now,
            "status": status,
            "health": "Green",
            "health_status": "Ok",
            "causes": [],
            "settings": [],
            "by": os.getpid(),
        }
        event = {
            "date": now,
            "message": f"{name} was put there.",
            "severity": "INFO",
            "application": "shop-live",
            "environment": name,
            "id": record["id"],
        }
        with self._home.cloud("beanstalk") as everything:
            mine = everything.setdefault(REGION, {})
            mine.setdefault("environments", {})[record["id"]] = record
            mine.setdefault("events", {})[f"{len(mine['events']):09}"] = event


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    home = Home(tmp_path / "rehearsal")
    home.path.mkdir()
    monkeypatch.setattr(beanstalk, "LAG", 0.0)
    served = endpoint.serve(home, Faults.parse(["swap-fails"]))
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rehearsal")
    yield Account(home)
    served.close()


@pytest.fixture
def two(account: Account) -> Account:
    """Two environments, the first of which holds the live name."""
    account.has("shop-live-r1", "shop-live")
    account.has("shop-live-r2", "shop-live-r2")
    return account


def wants(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**INPUTS, **changed}.items() if value is not None}


def failed(kind: type[CurtainupError], inputs: dict[str, Any], cancelled: Event = NEVER) -> CurtainupError:
    with pytest.raises(kind) as caught:
        cname_swap.create(inputs, cancelled)
    return caught.value


def test_the_program_and_the_provider_mean_the_same_type() -> None:
    assert declared.TYPE == cname_swap.TYPE


@pytest.mark.parametrize(
    ("olds", "changed", "refused"),
    [
        ({}, {}, []),
        ({}, {"holder": None}, []),
        ({}, {"environments": UNKNOWN}, []),
        ({}, {"environments": {"r2": UNKNOWN}}, []),
        ({}, {"holder": "r3"}, ["holder"]),
        (INPUTS, {"generation": 0}, ["generation"]),
        (INPUTS, {"prefix": "other"}, ["prefix"]),
    ],
)
def test_inputs_that_would_break_something_are_refused(
    olds: dict[str, Any], changed: dict[str, Any], refused: list[str]
) -> None:
    assert [path for path, _ in cname_swap.check(olds, wants(**changed))] == refused


def test_a_preview_promises_no_more_than_is_known() -> None:
    assert cname_swap.foreseen(wants())["environment"] == "shop-live-r2"
    assert cname_swap.foreseen(wants(environments={"r2": UNKNOWN}))["environment"] == UNKNOWN
    assert cname_swap.foreseen(wants(holder=None))["environment"] == UNKNOWN


def test_a_name_that_is_where_it_should_be_is_left_alone(two: Account) -> None:
    """The account refuses every swap."""
    outputs = cname_swap.create(wants(holder="r1"), NEVER)
    assert outputs["environment"] == "shop-live-r1"
    assert outputs["cname"] == f"shop-live.{REGION}.elasticbeanstalk.com"


def test_without_a_holder_the_name_stays(two: Account) -> None:
    assert cname_swap.create(wants(holder=None), NEVER)["environment"] == "shop-live-r1"


def held_by(names: list[str], *expected: str, cancelled: Event = NEVER) -> str | None:
    return cname_swap.holder(names, "shop-live", REGION, None, expected, cancelled.wait)


def test_the_real_holder_is_told(two: Account) -> None:
    names = ["shop-live-r1", "shop-live-r2"]
    assert held_by(names) == "shop-live-r1"
    assert held_by(names[1:]) is None


def test_a_refresh_sees_what_is_really_there(two: Account) -> None:
    state = {**wants(), "cname": "x", "environment": "shop-live-r2"}
    live = cname_swap.read({**state, "environments": {**INPUTS["environments"], "r3": "shop-live-r3"}})
    assert live is not None
    assert (live["holder"], live["environment"]) == ("r1", "shop-live-r1")
    assert live["environments"] == INPUTS["environments"]


def test_a_holder_that_is_no_release_of_ours_is_a_difference(two: Account) -> None:
    live = cname_swap.read({**wants(environments={"r2": "shop-live-r2"}), "environment": "shop-live-r2"})
    assert live is not None
    assert (live["holder"], live["environment"]) == ("", "shop-live-r1")


def test_an_application_without_environments_is_gone(account: Account) -> None:
    assert cname_swap.read(wants()) is None


def test_what_holds_the_name_is_not_given_up(two: Account) -> None:
    error = failed(StateError, wants(environments={"r2": "shop-live-r2"}, holder=None))
    assert error.what == "environment shop-live-r1 holds the live name, and is about to be terminated"


def test_a_name_that_nobody_holds_is_told(account: Account) -> None:
    account.has("shop-live-r2", "shop-live-r2")
    assert "no environment holds the live name shop-live" in failed(StateError, wants()).what


def test_a_refused_swap_is_told_in_beanstalk_s_own_words(two: Account) -> None:
    error = failed(EngineFailed, wants())
    assert "refused the swap: Unable to swap CNAMEs" in error.what
    assert error.consequence == "the live name has not moved"
    assert "shop-live-r2 was put there." in str(error.detail)


class Scripted:
    """A client of Beanstalk that says what the test has written down, in turn; the last for ever."""

    def __init__(self, swap: Any, looks: list[Any]) -> None:
        self.swap, self.looks = swap, looks

    def describe_environments(self, **_: Any) -> dict[str, Any]:
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(now, Exception):
            raise now
        names = ("shop-live-r1", "shop-live-r2")
        return {
            "Environments": [
                {"EnvironmentName": name, "Status": now[0], "CNAME": cname}
                for name, cname in zip(names, now[1], strict=True)
            ]
        }

    def check_dns_availability(self, **_: Any) -> dict[str, Any]:
        return {"FullyQualifiedCNAME": LIVE}

    def swap_environment_cnames(self, **_: Any) -> None:
        error = self.swap if isinstance(self.swap, Exception | None) else next(self.swap)
        if error:
            raise error

    def describe_events(self, **_: Any) -> dict[str, Any]:
        return {"Events": []}


LIVE, IDLE = f"shop-live.{REGION}.elasticbeanstalk.com", f"shop-live-r2.{REGION}.elasticbeanstalk.com"
BEFORE, MOVING, AFTER = ("Ready", (LIVE, IDLE)), ("Updating", (LIVE, IDLE)), ("Ready", (IDLE, LIVE))
RATE = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeEnvironments")
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeEnvironments")


def refused(status: int, code: str, message: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SwapEnvironmentCNAMEs")


BUSY = refused(400, "InvalidParameterValue", "Environment is in an invalid state. Must be Ready.")
WRONG = refused(400, "InvalidParameterValue", "Unable to swap CNAMEs.")
DOWN = refused(503, "ServiceUnavailable", "Service Unavailable")
LOST = ReadTimeoutError(endpoint_url="https://elasticbeanstalk")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(*looks: Any, swap: Any = None) -> None:
        found = Scripted(swap, list(looks))
        monkeypatch.setattr(amazon, "client", lambda *_, **__: found)
        monkeypatch.setattr(beanstalk, "release_at", lambda *_: "r2")

    monkeypatch.setattr(cname_move, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(beanstalk, "LAG", 0.0)
    monkeypatch.setattr(beanstalk, "LAG_PAUSE", 0.001)
    return use


def test_who_is_throttled_looks_again(scripted: Callable[..., None]) -> None:
    said: list[str] = []
    scripted(BEFORE, RATE, BEFORE, RATE, MOVING, RATE, AFTER)
    outputs = cname_swap.create(wants(timeout=60), NEVER, said.append)
    assert outputs["environment"] == "shop-live-r2"
    assert len([one for one in said if "too many calls" in one]) == 3


@pytest.mark.parametrize("error", [BUSY, DOWN, LOST])
@pytest.mark.parametrize("then", [[MOVING, AFTER], [AFTER]], ids=["moving", "moved"])
def test_a_swap_whose_answer_was_lost_has_begun(
    scripted: Callable[..., None], error: Exception, then: list[Any]
) -> None:
    scripted(BEFORE, BEFORE, *then, swap=error)
    assert cname_swap.create(wants(timeout=60), NEVER)["environment"] == "shop-live-r2"


def test_a_swap_that_came_too_soon_is_asked_for_again(scripted: Callable[..., None]) -> None:
    scripted(BEFORE, BEFORE, AFTER, swap=iter([RATE, RATE, None]))
    assert cname_swap.create(wants(timeout=60), NEVER)["environment"] == "shop-live-r2"


NOBODY = ("Ready", ("", IDLE))
NAMES = ["shop-live-r1", "shop-live-r2"]


@pytest.fixture
def late(scripted: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Like `scripted`, of a Beanstalk that tells late what is so, and is given the time."""
    monkeypatch.setattr(beanstalk, "LAG", 60.0)
    return scripted


def test_a_name_that_nobody_seems_to_hold_is_looked_for_again(late: Callable[..., None]) -> None:
    said: list[str] = []
    late(NOBODY, NOBODY, BEFORE, BEFORE, AFTER)
    assert cname_swap.create(wants(timeout=0), NEVER, said.append)["environment"] == "shop-live-r2"
    assert said[:2] == ["waiting to see which environment holds shop-live"] * 2


def test_a_name_that_is_told_where_it_was_is_not_moved_back(late: Callable[..., None]) -> None:
    """A swap of what was swapped already would take live away."""
    late(BEFORE, BEFORE, AFTER, swap=AssertionError("asked for another swap"))
    outputs = cname_swap.update({"environment": "shop-live-r2"}, wants(timeout=0), NEVER)
    assert outputs["environment"] == "shop-live-r2"


def test_somebody_s_own_swap_is_believed_in_the_end(scripted: Callable[..., None]) -> None:
    scripted(BEFORE, BEFORE, AFTER)
    outputs = cname_swap.update({"environment": "shop-live-r2"}, wants(timeout=60), NEVER)
    assert outputs["environment"] == "shop-live-r2"


def test_a_refresh_is_not_of_the_time_before(late: Callable[..., None]) -> None:
    late(BEFORE, BEFORE, AFTER)
    live = cname_swap.read({**wants(), "environment": "shop-live-r2"})
    assert live is not None
    assert (live["holder"], live["environment"]) == ("r2", "shop-live-r2")


def test_an_environment_that_held_the_name_a_moment_ago_may_go(late: Callable[..., None]) -> None:
    late(BEFORE, BEFORE, AFTER)
    assert held_by(NAMES, "shop-live-r2") == "shop-live-r2"


def test_looking_again_ends_when_the_run_does(late: Callable[..., None]) -> None:
    cancelled = Event()
    cancelled.set()
    late(BEFORE)
    assert held_by(NAMES, "shop-live-r2", cancelled=cancelled) == "shop-live-r1"
    late(NOBODY)
    assert failed(Interrupted, wants(timeout=60), cancelled).consequence == "the live name has not moved"


@pytest.mark.parametrize("error", [BUSY, DOWN, LOST])
@pytest.mark.parametrize("then", [[MOVING, AFTER], [AFTER]], ids=["moving", "moved"])
def test_what_beanstalk_tells_may_be_of_the_time_before_the_swap(
    late: Callable[..., None], error: Exception, then: list[Any]
) -> None:
    late(BEFORE, BEFORE, BEFORE, BEFORE, *then, swap=error)
    assert cname_swap.create(wants(timeout=60), NEVER)["environment"] == "shop-live-r2"


def test_who_is_cancelled_before_it_is_clear_keeps_the_outputs(late: Callable[..., None]) -> None:
    """The way back then waits for the swap, if there is one."""
    cancelled = Event()
    late(BEFORE, swap=lost_then(cancelled))
    with pytest.raises(Partial) as caught:
        cname_swap.create(wants(timeout=60), cancelled)
    assert caught.value.outputs["environment"] == "shop-live-r2"


def lost_then(cancelled: Event) -> Iterator[Exception]:
    cancelled.set()
    yield LOST


def test_a_clear_refusal_is_told_at_once(late: Callable[..., None]) -> None:
    late(BEFORE, BEFORE, BEFORE, AssertionError("looked again"), swap=WRONG)
    assert "refused the swap" in failed(EngineFailed, wants(timeout=60)).what


@pytest.mark.parametrize(
    ("held", "first", "lag"),
    [("shop-live-r2", [], 0.0), ("shop-live-r2", [BEFORE], 60.0), ("shop-live-r1", [], 0.0)],
    ids=["accepted", "told late", "killed"],
)
def test_the_way_back_waits_for_a_swap_that_still_runs(
    scripted: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    held: str,
    first: list[Any],
    lag: float,
) -> None:
    """Whoever was killed right after the call has no outputs of it."""
    asked: list[str] = []
    scripted(*first, MOVING, MOVING, MOVING, AFTER, AFTER, AFTER, BEFORE, swap=noted(asked))
    monkeypatch.setattr(beanstalk, "LAG", lag)
    monkeypatch.setattr(beanstalk, "release_at", lambda *_: "r1")
    outputs = cname_swap.update({"environment": held}, wants(timeout=60, holder="r1"), NEVER)
    assert (asked, outputs["environment"]) == (["swap"], "shop-live-r1")


def noted(asked: list[str]) -> Iterator[None]:
    while True:
        asked.append("swap")
        yield None


def test_a_refresh_waits_for_a_swap_that_a_run_has_left_under_way(scripted: Callable[..., None]) -> None:
    """Until its end Beanstalk tells the holder of the time before, which is what Pulumi remembers too."""
    said: list[str] = []
    scripted(MOVING, MOVING, AFTER)
    state = {**wants(holder="r1", timeout=60), "environment": "shop-live-r1"}
    live = cname_swap.read(state, NEVER, said.append)
    assert live is not None
    assert (live["holder"], live["environment"]) == ("r2", "shop-live-r2")
    assert len([one for one in said if "shop-live-r1 is Updating since" in one]) == 2


def test_a_refresh_that_sees_no_end_of_a_swap_believes_nothing(scripted: Callable[..., None]) -> None:
    scripted(MOVING)
    state = {**wants(holder="r1"), "environment": "shop-live-r1"}
    with pytest.raises(EngineFailed, match="is Updating since") as caught:
        cname_swap.read(state)
    assert caught.value.consequence == "the live name may be moving, by a swap that began before"
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        cname_swap.read({**state, "timeout": 60}, cancelled)


def test_what_may_go_is_known_once_a_swap_has_ended(late: Callable[..., None]) -> None:
    late(MOVING, MOVING, AFTER)
    assert held_by(NAMES, "shop-live-r1", "shop-live-r2") == "shop-live-r2"


@pytest.mark.parametrize(("look", "moving"), [(MOVING, True), (AFTER, False), (NOBODY, False)])
def test_whether_the_name_may_be_moving(scripted: Callable[..., None], look: Any, *, moving: bool) -> None:
    scripted(look)
    assert cname_swap.is_moving(NAMES, "shop-live", REGION, None) == moving


def test_a_holder_is_not_kept_whose_name_is_moving(scripted: Callable[..., None]) -> None:
    scripted(MOVING, MOVING, AFTER)
    error = failed(StateError, wants(environments={"r1": "shop-live-r1"}, holder=None, timeout=60))
    assert error.what == "environment shop-live-r2 holds the live name, and is about to be terminated"


def test_waiting_for_another_swap_is_bounded_and_promises_nothing(scripted: Callable[..., None]) -> None:
    scripted(MOVING)
    error = failed(EngineFailed, wants(holder="r1"))
    assert error.what.endswith("for 0 s")
    assert error.consequence == "the live name may be moving, by a swap that began before"


def test_what_is_being_terminated_is_in_no_swap(two: Account) -> None:
    two.has("shop-live-r2", "shop-live-r2", "Terminating")
    outputs = cname_swap.update({"environment": "shop-live-r2"}, wants(holder="r1"), NEVER)
    assert outputs["environment"] == "shop-live-r1"


def test_one_look_is_enough_where_nothing_moves(late: Callable[..., None]) -> None:
    late(BEFORE, AssertionError("looked again"))
    outputs = cname_swap.update({"environment": "shop-live-r1"}, wants(holder="r1"), NEVER)
    assert outputs["environment"] == "shop-live-r1"


@pytest.mark.parametrize("error", [BUSY, DOWN, WRONG, LOST])
def test_a_swap_that_never_began_is_refused(scripted: Callable[..., None], error: Exception) -> None:
    scripted(BEFORE, swap=error)
    assert failed(EngineFailed, wants(timeout=60)).consequence == "the live name has not moved"


@pytest.mark.parametrize("error", [DENIED, LOST])
def test_whatever_goes_wrong_after_the_swap_its_outputs_are_kept(
    scripted: Callable[..., None], error: Exception
) -> None:
    """Else Pulumi would take it for a swap that was never made, and traffic would go back."""
    scripted(BEFORE, BEFORE, error)
    with pytest.raises(Partial) as caught:
        cname_swap.create(wants(timeout=60), NEVER)
    assert caught.value.outputs["environment"] == "shop-live-r2"
    assert "has begun to move the live name" in str(caught.value.error.consequence)


def test_waiting_for_an_environment_is_bounded_and_shows_its_events(two: Account) -> None:
    two.has("shop-live-r2", "shop-live-r2", "Updating")
    error = failed(EngineFailed, wants())
    assert error.what.startswith("waiting: shop-live-r2 is Updating since ")
    assert error.what.endswith("for 0 s")
    assert error.consequence == "the live name has not moved"
    assert "shop-live-r2 was put there." in str(error.detail)


def test_what_does_not_become_ready_any_more_is_not_waited_for(two: Account) -> None:
    two.has("shop-live-r2", "shop-live-r2", "Terminating")
    error = failed(EngineFailed, wants(timeout=3600))
    assert error.what.startswith("shop-live-r2 is Terminating since ")


def test_an_environment_that_is_gone_is_told(account: Account) -> None:
    account.has("shop-live-r1", "shop-live")
    assert failed(EngineFailed, wants(timeout=3600)).what.startswith("shop-live-r2 is Terminated")


def test_waiting_ends_when_it_is_cancelled(two: Account) -> None:
    two.has("shop-live-r2", "shop-live-r2", "Launching")
    cancelled = Event()
    cancelled.set()
    error = failed(Interrupted, wants(timeout=3600), cancelled)
    assert error.consequence == "the live name has not moved"


def test_people_are_told_what_is_waited_for(two: Account) -> None:
    two.has("shop-live-r2", "shop-live-r2", "Updating")
    said: list[str] = []
    with pytest.raises(EngineFailed):
        cname_swap.create(wants(), NEVER, said.append)
    assert said[0].startswith("waiting: shop-live-r2 is Updating since ")


def test_without_credentials_the_way_to_them_is_told(
    two: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "aws configure" in str(failed(SetupError, wants()).fix)
