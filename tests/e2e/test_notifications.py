"""Who is to be told is told of each run, and no run waits long for, or fails by, who does not listen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import traces
from tests.e2e.service import Service
from tests.reporting.notify.servers import TOKEN, Hook, hook

MATRIX = pytest.mark.matrix(
    reason="test_a_failure_is_told_with_its_reason shows once that the end of a run is told"
)

LOOPBACK = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.fixture(scope="module")
def team() -> Iterator[Hook]:
    with hook() as one:
        yield one


@pytest.fixture(scope="module")
def told(deployed: Service, team: Hook) -> Service:
    """A service with another version committed, whose team is told, and others have no address at first."""
    deployed.environ |= {**LOOPBACK, "TEAM_URL": team.url}
    others = [{"url_env": "DEAD_URL"}, {"url_env": "SILENT_URL", "events": ["live"]}]
    deployed.configure(notify=["TEAM_URL", *others])
    deployed.greet("told")
    return deployed


def news(team: Hook) -> list[tuple[str, list[str]]]:
    """What came since the last time: each message's title and lines."""
    came = [(one["title"], one["message"].splitlines()) for one in team.received]
    team.received.clear()
    return came


def test_a_deployment_is_told_at_its_start_and_when_it_is_live(told: Service, team: Hook) -> None:
    done = told.deploy("--json")

    version, commit = done.json()["version"], told.git("rev-parse", "HEAD")[:12]
    (started, first), (live, last) = news(team)
    assert started == f"{told.name}: deploy of {version} has started"
    assert live == f"{told.name}: {version} serves in live"
    assert f"- commit: {commit}" in first
    assert {f"- url: <{told.url('live')}>", f"- record: {told.last_run_folder()}"} <= set(last)
    assert (
        "warning: variables in `notify` are not set, so curtainup skips them: DEAD_URL, SILENT_URL"
        in done.err
    )


def test_of_a_deployment_that_changes_nothing_nobody_is_told(told: Service, team: Hook) -> None:
    assert told.deploy("--json").json()["changed"] is False
    assert news(team) == []


def test_a_failure_is_told_with_its_reason(told: Service, team: Hook) -> None:
    told.greet("told again")

    told.deploy(code=11, fail_at="staging")

    (_, _), (failed, lines) = news(team)
    assert failed.endswith(" failed")
    assert "- why: acceptance tests on staging failed: 1 of" in "\n".join(lines)
    assert any(line.startswith("- fix: ") for line in lines)


@MATRIX
def test_traffic_that_went_back_is_told(told: Service, team: Hook) -> None:
    told.deploy(code=13, fail_at="live")

    (_, _), (returned, lines) = news(team)
    assert returned.endswith(" failed on live, and traffic is back")
    assert any(line.startswith("- so: live ") for line in lines)


@MATRIX
def test_a_held_candidate_is_told_with_its_own_url(told: Service, team: Hook) -> None:
    done = told.deploy("--hold")

    (_, _), (held, lines) = news(team)
    assert held.endswith(" is proven, and held without traffic")
    assert f"- url: <{done.out.strip()}>" in lines


@MATRIX
def test_who_is_not_there_or_never_answers_does_not_stop_a_promotion(told: Service, team: Hook) -> None:
    with hook() as silent:
        silent.open.clear()
        dead = f"json://127.0.0.1:1/{TOKEN}"
        done = told.run("promote", env={"DEAD_URL": dead, "SILENT_URL": silent.url})

    assert done.out == f"{told.url('live')}\n"
    assert [title.split()[-1] for title, _ in news(team)] == ["started", "live"]
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert [line.split()[1] for line in warnings] == ["DEAD_URL", "DEAD_URL", "SILENT_URL"]
    assert all(line.endswith("test it with: curtainup notify") for line in warnings)
    assert TOKEN not in done.out + done.err


def test_the_addresses_are_written_nowhere(told: Service) -> None:
    assert traces.in_files(told, {TOKEN.encode()}) == []
