"""Traffic that moves in steps, watched by more than the probe."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.service import Service
from tests.e2e.underway import underway

MATRIX = pytest.mark.matrix(
    reason="test_each_step_is_kept_and_watched shows a canary once; test_bad_luck_signals and _kill the rest"
)

SEEN = 'echo "$CURTAINUP_RELEASE $CURTAINUP_URL" >>{file}; test ! -e {stop}'


def carrying(service: Service) -> dict[str, int]:
    return {one: share for one, share in service.traffic("live").items() if share}


def test_each_step_is_kept_and_watched(deployed: Service, tmp_path: Path) -> None:
    [old] = carrying(deployed)
    deployed.greet("in steps")
    command = SEEN.format(file=tmp_path / "seen", stop=tmp_path / "stop")

    with users(deployed.url("live")) as answers:
        done = deployed.deploy("--json", "--canary", "10,50", "--every", "1s", "--watch", command)

    new = done.json()["release"]
    assert answers.failures == []
    assert set(answers.releases) == {old, new}
    for shares in (f"{old} 90 %, {new} 10 %", f"{old} 50 %, {new} 50 %", f"{new} 100 %"):
        assert shares in done.err
    assert "1s left" in done.err
    assert deployed.traffic("live") == {old: 0, new: 100}
    seen = (tmp_path / "seen").read_text().splitlines()
    assert set(seen) == {f"{new} {deployed.url('live')}"}
    assert len(seen) == 5, "once before traffic moves, and at the beginning and end of each step"


@MATRIX
@pytest.mark.parametrize("watch", ["command", "url"])
def test_what_is_not_well_puts_traffic_back(deployed: Service, tmp_path: Path, watch: str) -> None:
    before = carrying(deployed)
    deployed.greet(f"unwell by {watch}")
    flag = tmp_path / "seen"
    command = f"if test -e {flag}; then echo error rate 7 %; exit 3; fi; touch {flag}"
    asked = command if watch == "command" else f"{deployed.url('staging')}/no-such-page"

    with users(deployed.url("live")) as answers:
        done = deployed.deploy("--canary", "10", "--every", "60s", "--watch", asked, code=13)

    assert answers.failures == []
    assert "the canary watch failed" in done.err
    assert ("error rate 7 %" if watch == "command" else "status 404") in done.err
    assert carrying(deployed) == before
    assert [step.name for step in deployed.last_run().steps][-2:] == ["shift", "return"]


@MATRIX
def test_ctrl_c_between_two_steps_puts_traffic_back(deployed: Service) -> None:
    before = carrying(deployed)
    deployed.greet("interrupted")

    with (
        users(deployed.url("live")) as answers,
        underway(deployed, "deploy", "--canary", "50", "--every", "10m") as run,
    ):
        run.wait_until(lambda: "10m left" in run.err, "the first step")
        run.send(signal.SIGINT)
        run.finish(130)

    assert answers.failures == []
    assert carrying(deployed) == before
    assert_nothing_left(deployed)


@MATRIX
def test_a_run_that_is_killed_between_two_steps_is_gone_on_with(deployed: Service) -> None:
    deployed.greet("killed")

    with users(deployed.url("live")) as answers:
        with underway(deployed, "deploy", "--canary", "50", "--every", "10m") as run:
            run.wait_until(lambda: "10m left" in run.err, "the first step")
            run.send(signal.SIGKILL)
        assert sorted(carrying(deployed).values()) == [50, 50]
        new = deployed.deploy("--json").json()["release"]

    assert answers.failures == []
    assert carrying(deployed) == {new: 100}
    assert deployed.get("live").json()["says"] == "killed"
    assert_nothing_left(deployed)


@MATRIX
def test_a_held_candidate_can_be_promoted_by_a_canary(deployed: Service) -> None:
    [old] = [one for one, share in deployed.traffic("live").items() if share]
    deployed.greet("held")
    new = deployed.deploy("--hold", "--json").json()["release"]

    done = deployed.run("promote", "--canary", "25")

    assert f"{old} 75 %, {new} 25 %" in done.err
    assert deployed.serving("live") == new


@MATRIX
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--canary", "50,10"], "rise from 1 to 99"),
        (["--canary", "100"], "rise from 1 to 99"),
        (["--canary", "ten"], "rise from 1 to 99"),
        (["--canary", "10", "--every", "soon"], "such as 90s, 5m"),
        (["--every", "5m"], "need --canary"),
    ],
)
def test_a_canary_that_is_none_is_refused_at_once(deployed: Service, arguments: list[str], told: str) -> None:
    updates = deployed.updates()
    assert told in deployed.deploy(*arguments, code=2).err
    assert deployed.updates() == updates
