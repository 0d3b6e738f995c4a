from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from curtainup.commands import promote as promoting
from curtainup.environments.rollout import Rollout
from curtainup.errors import RefusedError
from curtainup.pipeline import four_eyes
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.options import HELD_AT, Options
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.transition import Transition, Update
from curtainup.session import Session
from tests import kept, samples
from tests.commands.test_status import session_in

HELD = samples.deployment(100, 0, candidate="r0000002")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A service whose second release is held; `ann1@laptop` has deployed it."""
    kept.environment(tmp_path, "shop-live", [samples.deployment(100), HELD], held="r0000002")
    return session_in(tmp_path, text="four_eyes: true\n")


def promote(session: Session) -> None:
    live = Rollout(session, "live")
    four_eyes.require_another(session, live, HELD.releases[1])


def test_a_deployment_to_live_has_to_hold_its_candidate(session: Session) -> None:
    with pytest.raises(RefusedError) as caught:
        four_eyes.require_hold(session, Options())
    assert "curtainup deploy --hold" in (caught.value.fix or "")
    four_eyes.require_hold(session, Options(until=HELD_AT))


@pytest.mark.parametrize("name", ["ann1", "ANN1"])
def test_who_has_deployed_does_not_promote(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LOGNAME", name)
    with pytest.raises(RefusedError) as caught:
        promote(session)
    assert "ann1@laptop has deployed" in caught.value.what
    assert caught.value.fix == "let somebody else run curtainup promote"


def test_a_ci_job_of_the_same_person_is_no_way_around(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ann1")
    with pytest.raises(RefusedError):
        promote(session)


def test_somebody_else_promotes(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "bob")
    promote(session)


def test_who_deploys_it_again_does_not_become_the_deployer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.environment(tmp_path, "shop-live", [samples.deployment(100), HELD, HELD], held="r0000002")
    session = session_in(tmp_path, text="four_eyes: true\n")
    monkeypatch.setenv("LOGNAME", "ann2")
    promote(session)
    monkeypatch.setenv("LOGNAME", "ann1")
    with pytest.raises(RefusedError):
        promote(session)


def test_nobody_promotes_what_nobody_knows_of(tmp_path: Path) -> None:
    kept.environment(tmp_path, "shop-live", [HELD], held="r0000002")
    for file in tmp_path.rglob("*.history.json"):
        file.unlink()
    with pytest.raises(RefusedError, match="it is not known who deployed"):
        promote(session_in(tmp_path, text="four_eyes: true\n"))


def test_without_the_rule_one_person_does_both(tmp_path: Path) -> None:
    kept.environment(tmp_path, "shop-live", [HELD], held="r0000002")
    session = session_in(tmp_path)
    four_eyes.require_hold(session, Options())
    promote(session)


@pytest.mark.parametrize(("text", "may"), [("four_eyes: true\n", False), ("", True)])
def test_a_canary_that_pauses_is_not_told_to_deploy_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, may: bool
) -> None:
    kept.environment(tmp_path, "shop-live", [samples.deployment(100), HELD], held="r0000002")
    session, moves = session_in(tmp_path, text=f"{text}canary: [10]\n"), list[Update]()
    monkeypatch.setenv("LOGNAME", "bob")
    monkeypatch.setattr(Rollout, "require_there", lambda *_: None)
    monkeypatch.setattr(Rollout, "require_rendered", lambda *_: None)

    def keep(_: Executor, transitions: Sequence[Transition]) -> None:
        moves.extend(act for one in transitions for act in one.acts if isinstance(act, Update))

    monkeypatch.setattr(Executor, "carry_out", keep)
    promoting.promote(session, Recorder(tmp_path, "shop", "promote", environ={}), None)
    [canary] = [act.canary for act in moves if act.canary is not None]
    assert (canary.shares, canary.may_ask_again) == ((10,), may)
