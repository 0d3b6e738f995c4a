"""Live is frozen, or somebody else has to promote what one has deployed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.service import Service

REASON = "the shop sells at the wrong price"
MATRIX = pytest.mark.matrix(reason="test_a_reason_lets_a_release_go_live_and_is_kept shows it once")


def freeze(hours: int = 24) -> list[dict[str, str]]:
    """A freeze that is on."""
    now = datetime.now(UTC)
    ends = [(now + timedelta(hours=one)).strftime("%Y-%m-%d %H:%M") for one in (-24, hours)]
    return [{"from": ends[0], "until": ends[1], "timezone": "UTC", "reason": "sale"}]


@pytest.fixture(scope="module", autouse=True)
def taken_away(deployed: Service) -> Iterator[None]:
    """No rails are left for those who come after."""
    yield
    deployed.configure(freeze=None, four_eyes=None)


def candidate(service: Service) -> dict[str, Any]:
    [found] = [one for one in service.status("live")["releases"] if one["candidate"]]
    return dict(found)


def test_nothing_is_built_for_live_while_it_is_frozen(deployed: Service) -> None:
    deployed.configure(freeze=freeze(), four_eyes=True)
    deployed.greet("frozen")
    before, updates = deployed.traffic("live"), deployed.updates()

    done = deployed.deploy("--hold", code=33)

    assert "live is frozen until " in done.err
    assert "UTC (sale)" in done.err
    assert '--during-freeze "REASON"' in done.err
    assert (deployed.traffic("live"), deployed.updates()) == (before, updates)
    assert [step.name for step in deployed.last_run().steps] == []


def test_everybody_is_told_of_the_freeze(deployed: Service) -> None:
    told = deployed.status("live")["freeze"]
    assert told["reason"] == "sale"
    assert deployed.status("staging")["freeze"] is None
    assert f"  frozen until {told['told']}" in deployed.run("status").out
    assert f"live is frozen until {told['told']}" in deployed.run("preview", code=2).out

    done = deployed.run("pulumi", "up", "--yes", "--stack", f"{deployed.name}-live", code=33)
    assert "live is frozen until" in done.err


def test_who_deploys_does_not_give_the_traffic(deployed: Service) -> None:
    updates = deployed.updates()

    done = deployed.deploy("--during-freeze", REASON, code=23)

    assert "four_eyes" in done.err
    assert "curtainup deploy --hold" in done.err
    assert deployed.updates() == updates


def test_a_reason_lets_a_release_go_live_and_is_kept(deployed: Service) -> None:
    deployed.deploy("--hold", "--during-freeze", REASON, env={"LOGNAME": "ann"})
    held = candidate(deployed)
    assert (held["by"] or "").startswith("ann@")
    serving = deployed.serving("live")

    done = deployed.run("promote", "--during-freeze", REASON, code=23, env={"LOGNAME": "ann"})
    assert "ann@" in done.err
    assert "let somebody else run curtainup promote" in done.err
    deployed.run("promote", code=33, env={"LOGNAME": "bob"})
    assert deployed.serving("live") == serving

    done = deployed.run("promote", "--during-freeze", REASON, env={"LOGNAME": "bob"})

    assert f"this run changes it: {REASON}" in done.err
    assert deployed.serving("live") == held["id"]
    noted = deployed.last_run().during_freeze
    assert noted is not None
    assert (noted.freeze, noted.reason) == ("sale", REASON)
    [*_, newest] = sorted(
        deployed.run("history", "--env", "live", "--json").json(), key=lambda one: one["at"]
    )
    assert newest["during_freeze"] == REASON
    assert f"  during a freeze: {REASON}" in deployed.run("history", "-n", "1").out


def test_what_serves_already_is_no_change(deployed: Service) -> None:
    updates = deployed.updates()
    assert "unchanged" in deployed.deploy().err
    assert deployed.updates() == updates


@MATRIX
def test_staging_is_not_frozen(deployed: Service) -> None:
    deployed.greet("on staging")
    serving = deployed.serving("live")
    deployed.deploy("--until", "staging-gate")
    assert deployed.serving("live") == serving


@MATRIX
def test_a_rollback_is_never_frozen(deployed: Service) -> None:
    serving = deployed.serving("live")
    deployed.run("rollback")
    assert deployed.serving("live") != serving
    assert deployed.last_run().during_freeze is None


@MATRIX
def test_the_next_update_does_not_keep_the_reason(deployed: Service) -> None:
    [newest] = deployed.run("history", "--env", "live", "-n", "1", "--json").json()
    assert newest["during_freeze"] == ""
