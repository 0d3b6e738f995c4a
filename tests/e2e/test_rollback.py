"""Going back to an older release, and forward again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from curtainup.environments import history
from tests.e2e.load import users
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(reason="test_a_rollback_moves_traffic_and_builds_nothing shows one once")


@contextmanager
def hanging(service: Service, release: str) -> Iterator[None]:
    """Have a release of live accept requests and answer none: all that runs in its container stands still."""
    container = service.host.client.containers.get(f"{service.name}-live-{release}")
    assert container.exec_run(["sh", "-c", "kill -STOP -1"]).exit_code == 0
    try:
        yield
    finally:
        assert container.exec_run(["sh", "-c", "kill -CONT -1"]).exit_code == 0


def test_a_rollback_moves_traffic_and_builds_nothing(two_releases: Service) -> None:
    deployed = two_releases
    first, second = deployed.traffic("live")
    images = deployed.host.images()

    with users(deployed.url("live")) as answers:
        done = deployed.run("rollback")

    assert done.out == f"{deployed.url('live')}\n"
    assert answers.failures == []
    assert deployed.serving("live") == first
    assert deployed.traffic("live") == {first: 100, second: 0}
    assert deployed.host.images() == images
    record = deployed.last_run()
    assert record.command == "rollback"
    assert deployed.proved() == ["live"]
    [move] = record.traffic
    assert (move.outgoing, move.incoming) == (second, first)
    assert move.probe


def test_a_rollback_leaves_a_live_that_hangs(deployed: Service) -> None:
    """Requests that failed before traffic moved are not held against the release that takes over."""
    serving = deployed.serving("live")
    [other] = {*deployed.traffic("live")} - {serving}

    with hanging(deployed, serving):
        assert deployed.status("live")["down"] == "TimeoutError: timed out"
        deployed.run("rollback")
        assert deployed.serving("live") == other

    [shift] = [step for step in deployed.last_run().steps if step.name == "shift"]
    assert "live was failing before (4 of 4); the new release answered" in shift.detail
    deployed.run("rollback", serving)


@MATRIX
def test_a_version_that_is_not_kept_is_refused_by_naming_those_that_are(deployed: Service) -> None:
    before = deployed.traffic("live")

    done = deployed.run("rollback", "261231-2359-1-abcdef", code=19)

    for release in before:
        assert release in done.err
    assert deployed.traffic("live") == before


def test_a_named_version_gets_the_traffic(deployed: Service) -> None:
    _, second = deployed.status("live")["releases"]

    found = deployed.run("rollback", second["version"], "--json").json()

    assert (found["version"], found["release"], found["changed"]) == (second["version"], second["id"], True)
    assert deployed.serving("live") == second["id"]


@MATRIX
def test_the_version_that_serves_is_left_alone(deployed: Service) -> None:
    serving, entries = deployed.serving("live"), deployed.updates()

    found = deployed.run("rollback", serving, "--json").json()

    assert found["changed"] is False
    assert deployed.updates() == entries


@MATRIX
def test_a_rollback_that_fails_its_gate_is_taken_back(deployed: Service) -> None:
    before = deployed.traffic("live")

    with users(deployed.url("live")) as answers:
        done = deployed.run("rollback", code=13, env={"FAIL_AT": "live"})

    assert "check out its commit and run the same command again" in done.err

    assert answers.failures == []
    assert deployed.traffic("live") == before
    result = deployed.last_run().result
    assert result is not None
    assert result.outcome == "returned"


@MATRIX
def test_after_a_rollback_the_same_source_is_deployed_again(deployed: Service) -> None:
    first, second = deployed.traffic("live")
    deployed.run("rollback")
    images = deployed.host.images()

    found = deployed.deploy("--json").json()

    assert (found["release"], found["changed"]) == (second, True)
    assert deployed.traffic("live") == {first: 0, second: 100}
    assert deployed.host.images() == images, "the image is there already"


def test_the_history_tells_every_move_of_traffic(deployed: Service) -> None:
    first, second = deployed.traffic("live")

    found = deployed.run("history", "--env", "live", "--json").json()

    last = found[0]
    assert last["commit"] == deployed.git("rev-parse", "HEAD").strip()
    assert [move.partition("(")[2] for move in last["moves"]] == [
        f"{first}) 100 → 0 %",
        f"{second}) 0 → 100 %",
    ]
    told = deployed.run("pulumi", "stack", "history", "--json", "--stack", f"{deployed.name}-live").json()
    by_cli = history.parse("live", list(reversed(told)))
    assert by_cli[-1].moves == (f"{first} 100 → 0 %", f"{second} 0 → 100 %"), "its secrets hide the versions"
    assert [one.at for one in reversed(by_cli)] == [one["at"] for one in found][: len(by_cli)]


@MATRIX
def test_a_release_that_does_not_answer_any_more_gets_no_traffic(deployed: Service) -> None:
    before = deployed.traffic("live")
    [idle] = [one for one, share in before.items() if not share]
    deployed.configure(start_timeout=1)

    with hanging(deployed, idle), users(deployed.url("live")) as answers:
        done = deployed.run("rollback", code=14)
    deployed.configure(start_timeout=None)

    assert "the release did not answer within 1 s" in done.err
    assert f"{deployed.name}-live-{idle}" in done.err
    assert answers.failures == []
    assert deployed.traffic("live") == before
    assert "shift" not in [step.name for step in deployed.last_run().steps]
