"""A candidate that is held, and then promoted or dropped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.load import users
from tests.e2e.service import Service, session

MATRIX = pytest.mark.matrix(
    reason="test_a_promoted_candidate_goes_live_without_a_failed_request shows it once"
)


def candidate(service: Service) -> dict[str, Any]:
    [found] = [one for one in service.status("live")["releases"] if one["candidate"]]
    return dict(found)


def test_with_nothing_held_there_is_nothing_to_promote(deployed: Service) -> None:
    before = deployed.traffic("live")

    for arguments in (["promote"], ["promote", "--discard"]):
        done = deployed.run(*arguments, code=19)
        assert "no candidate is held" in done.err
        assert "curtainup deploy --hold" in done.err

    assert deployed.traffic("live") == before


def test_a_held_candidate_is_proven_and_has_no_traffic(deployed: Service) -> None:
    old = deployed.serving("live")
    deployed.configure(environments={"live": {"tasks": ["true"]}})
    deployed.greet("held")

    with users(deployed.url("live")) as answers:
        done = deployed.deploy("--hold")

    held = candidate(deployed)
    assert done.out == f"{held['url']}\n"
    with session() as direct:
        assert direct.get(held["url"], timeout=60).json()["says"] == "held"
    assert set(answers.releases) == {old}
    assert deployed.traffic("live") == {old: 100, held["id"]: 0}
    assert deployed.proved() == ["local", "staging", "candidate"]
    result = deployed.last_run().result
    assert result is not None
    assert (result.outcome, result.url, result.release) == ("held", held["url"], held["id"])
    assert [one.release for one in deployed.last_run().tasks] == [held["id"]]


def test_another_candidate_does_not_take_its_place(deployed: Service) -> None:
    held, updates = candidate(deployed), deployed.updates()
    deployed.greet("not held")

    done = deployed.deploy(code=23)

    assert f"{held['version']} ({held['id']}) is held as the candidate of live" in done.err
    assert "curtainup promote" in done.err
    assert deployed.updates() == updates, "nothing was built or changed"


def test_what_is_held_survives_a_rollback_that_finds_nothing_older(deployed: Service) -> None:
    held = candidate(deployed)
    deployed.run("rollback", code=19)
    assert candidate(deployed) == held


def test_a_promoted_candidate_goes_live_without_a_failed_request(deployed: Service) -> None:
    held, images = candidate(deployed), deployed.host.images()
    [old, _] = deployed.traffic("live")

    with users(deployed.url("live")) as answers:
        found = deployed.run("promote", "--json").json()

    assert answers.failures == []
    assert (found["release"], found["url"], found["held"]) == (held["id"], deployed.url("live"), False)
    assert deployed.traffic("live") == {old: 0, held["id"]: 100}
    assert deployed.host.images() == images, "nothing was built"
    record = deployed.last_run()
    assert [(step.name, step.outcome) for step in record.steps] == [
        ("release", "passed"),
        ("candidate-gate", "skipped"),
        ("shift", "passed"),
        ("live-gate", "passed"),
    ]
    assert record.tasks == (), "they ran when it was staged"
    [move] = record.traffic
    assert (move.outgoing, move.incoming) == (old, held["id"])


def test_a_held_candidate_can_be_dropped(deployed: Service) -> None:
    before = deployed.traffic("live")
    deployed.configure(environments=None)
    deployed.deploy("--hold")
    held = candidate(deployed)

    gone = deployed.run("promote", "--discard", "--json").json()

    assert gone == {"version": held["version"], "release": held["id"]}
    result = deployed.last_run().result
    assert result is not None
    assert result.outcome == "done"
    assert deployed.traffic("live") == {one: share for one, share in before.items() if share}
    assert held["id"] not in deployed.traffic("live")
    assert deployed.run("promote", code=19).err


@MATRIX
def test_a_held_candidate_is_replaced_when_that_is_asked_for(deployed: Service) -> None:
    deployed.deploy("--hold")
    held = candidate(deployed)
    deployed.greet("fourth")

    new = deployed.deploy("--json", "--replace-candidate").json()["release"]

    assert held["id"] not in deployed.traffic("live")
    assert deployed.serving("live") == new


@MATRIX
def test_a_candidate_that_fails_when_promoted_is_still_held(deployed: Service) -> None:
    """Where no record says that it is proven it passes its gate again."""
    deployed.greet("fifth")
    deployed.deploy("--hold")
    held, before = candidate(deployed), deployed.traffic("live")
    for run in (deployed.own_folder / "runs").iterdir():
        (run / "record.json").unlink()

    done = deployed.run("promote", code=12, env={"FAIL_AT": "candidate"})

    assert "it stays held, without traffic" in done.err
    assert candidate(deployed) == held
    assert deployed.traffic("live") == before


@MATRIX
def test_a_candidate_that_fails_on_live_is_put_back_and_gone(deployed: Service) -> None:
    [old] = [one for one, share in deployed.traffic("live").items() if share]
    held = candidate(deployed)

    with users(deployed.url("live")) as answers:
        deployed.run("promote", code=13, env={"FAIL_AT": "live"})

    assert answers.failures == []
    assert deployed.serving("live") == old
    assert held["id"] not in deployed.traffic("live")
