"""The pieces of the benchmark run; what they measure is nobody's test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import (
    deployments,
    distant,
    https,
    kubernetes,
    load,
    measure,
    profiles,
    rehearsals,
    report,
    sampling,
    service,
    switches,
)
from benchmarks.report import Line, Results
from curtainup.model.run import RunRecord, StepRecord, Who
from tests import docs_pages

FOLDER = Path(command.__file__).parent
NUMBER = re.compile(r"[\d.,]*\d")
SUMMARY = """\
Running 5m test @ http://127.0.0.1:8080/ping
  1 threads and 16 connections
  5210 requests in 3.02s, 1.02MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 2
Requests/sec:   1725.16
"""


def test_the_page_has_the_goals_of_the_code() -> None:
    page = (docs_pages.DOCS / "benchmarks.md").read_text(encoding="utf-8")
    lines = page.partition("| goal |")[2].partition("\n\n")[0].strip().splitlines()[1:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    told = [
        (letter, [float(one.replace(",", "")) for one in NUMBER.findall(goal)]) for letter, *_, goal in rows
    ]
    assert told == [
        ("a", [deployments.CHANGE, deployments.PROCESSOR]),
        ("a", [deployments.FIRST]),
        ("b", []),
        ("c", [deployments.NO_OP]),
        ("d", [deployments.ROLLBACK]),
        ("e", [deployments.HELP]),
        ("f", [0, switches.REQUESTS]),
        ("g", [deployments.DRIVER_MB]),
        ("h", [rehearsals.TIMES_DOCKER]),
        ("i", [0, rehearsals.REQUESTS]),
        ("j", [deployments.PREVIEW]),
        ("k", []),
        ("l", [distant.TIMES_HERE]),
        ("l", [distant.NO_OP_SECONDS]),
        ("l", [distant.LOGINS]),
        ("m", [https.MILLISECONDS]),
        ("m", [0, https.REQUESTS]),
        ("n", [kubernetes.TIMES_DOCKER]),
        ("n", [kubernetes.ROLLBACK_SECONDS]),
        ("n", [kubernetes.UP_SECONDS]),
        ("n", [kubernetes.POINTS]),
        ("n", [kubernetes.TOLD_SECONDS]),
        ("n", [0, kubernetes.REQUESTS]),
    ]
    assert {letter for letter, _ in told} == set(command.MEASUREMENTS)


def test_a_command_s_cost_is_measured(tmp_path: Path) -> None:
    cost = measure.run([sys.executable, "-c", "sum(range(10**6))"], tmp_path, dict(os.environ))

    assert cost.wall > 0
    assert cost.cpu > 0


def test_memory_is_the_process_s_own(tmp_path: Path) -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(2 * 10**8)'])"

    cost = measure.run(
        [sys.executable, "-c", f"{child}; import time; time.sleep(2)"], tmp_path, dict(os.environ)
    )

    assert 1 < cost.peak_mb < 100


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such luck')"]

    with pytest.raises(measure.CommandFailed, match="no such luck"):
        measure.run(command, tmp_path, dict(os.environ))


def test_wrk_s_summary_is_read() -> None:
    requests, failures = load.parse(SUMMARY)

    assert requests == 5210
    assert failures == {"socket: read": 3, "socket: timeout": 1, "HTTP status": 2}


def test_a_summary_without_failures_has_none() -> None:
    assert load.parse("  7 requests in 1.00s, 1.00KB read\n") == (7, {})


def test_wrk_s_error_is_not_taken_for_a_summary() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        load.parse("unable to connect to 127.0.0.1:1 Connection refused")


def test_slow_requests_count_as_under_way_only_across_the_switch_on_the_outgoing_release() -> None:
    seen = load.Seen()
    seen.first = {(1, "old"): 10.0, (1, "new"): 12.0, (2, "old"): 20.0}
    seen.slow = [
        load.Span(9.0, 11.9, "old"),
        load.Span(11.0, 14.0, "old"),
        load.Span(11.5, 14.5, "new"),
        load.Span(12.1, 15.1, "new"),
    ]

    assert switches.spanning(seen, 1, "old") == 1


def test_targets_are_judged_from_either_side() -> None:
    assert Line("d", "rollback", 1.5, "s", 1.5).reached
    assert not Line("d", "rollback", 1.6, "s", 1.5).reached
    assert Line("f", "requests", 100_000, "", 100_000, at_least=True).reached
    assert Line("b", "no target", 3, "s").reached is None


def test_the_table_says_by_how_much_a_target_was_missed() -> None:
    shown = report.table([Line("d", "rollback", 1.75, "s", 1.5)])

    assert "not reached, by 0.25 s" in shown


def test_what_was_measured_is_written_as_json(tmp_path: Path) -> None:
    results = Results()
    results.seconds("e", "help", [measure.Cost(0.2, 0.1, 16.0), measure.Cost(0.1, 0.1, 16.0)], 0.2)

    written = json.loads(report.write(results, tmp_path / "results").read_text())

    assert written["lines"][0]["range"] == {"median": pytest.approx(0.15), "low": 0.1, "high": 0.2}
    assert written["lines"][0]["reached"]
    assert len(written["raw"]["e"]["help"]) == 2


def test_the_steps_of_a_run_are_timed_from_its_record() -> None:
    from benchmarks.deployments import seconds_by_step

    record = RunRecord(
        service="hello",
        command="deploy",
        started="2026-01-01T00:00:00.000+00:00",
        steps=(
            StepRecord(
                name="build", started="2026-01-01T00:00:00.000+00:00", ended="2026-01-01T00:00:02.500+00:00"
            ),
            StepRecord(name="local", started="2026-01-01T00:00:02.500+00:00"),
        ),
        who=Who(user="u", host="h", ci={}),
        curtainup="0",
    )

    assert seconds_by_step(record) == {"build": 2.5}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["/x/pulumi", "up"], "Pulumi engine"),
        (["/x/pulumi-resource-docker", "127.0.0.1:1"], "Docker plugin"),
        (["/venv/bin/python", "-m", "pytest", "test"], "pytest"),
        (["/venv/bin/python", "/x/acceptance/fork_server.py", "7", "", "unit"], "pytest"),
        (["/venv/bin/python", "-P", "x.py"], "other Python"),
        (["git", "status"], "git"),
        (["/usr/bin/docker", "cp"], "Docker client"),
        (["sleep", "1"], "sleep"),
    ],
)
def test_a_process_is_known_by_its_command_line(words: list[str], kind: str) -> None:
    assert sampling.kind_of(words) == kind


def test_a_command_is_seen_with_all_that_it_starts(tmp_path: Path) -> None:
    busy = "import time; end = time.monotonic() + 0.6\nwhile time.monotonic() < end: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    sampler = sampling.Sampler()

    cost = measure.run([sys.executable, "-c", code], tmp_path, dict(os.environ), sampler.watch)

    used = {one.kind: one.used for one in sampler.join()}
    assert set(used) == {"driver", "other Python"}
    assert 0 < used["other Python"] <= cost.cpu + sampling.TICK


def test_a_profile_tells_the_gates_apart_and_sums_by_step() -> None:
    seen = [
        sampling.Process("driver", [(0.0, 0.0), (0.05, 0.02), (0.1, 0.02), (0.15, 0.0)], 0.04),
        sampling.Process("pytest", [(0.1, 0.04), (0.15, 0.04)], 0.08),
    ]
    steps = [profiles.Step("build", 0.0, 0.07), profiles.Step("local-gate", 0.08, 0.2)]

    found = profiles.profile("a change", measure.Cost(0.2, 0.15, 80.0), seen, steps)

    assert [(row.what, row.count, round(row.cpu, 2)) for row in found.processes] == [
        ("pytest of local-gate", 1, 0.08),
        ("driver", 1, 0.04),
        (profiles.UNSEEN, 0, 0.03),
    ]
    assert [(row.what, round(row.wall, 2), round(row.cpu, 2)) for row in found.steps] == [
        ("build", 0.05, 0.02),
        ("local-gate", 0.1, 0.1),
    ]
    assert dict(found.together) == pytest.approx({"driver": 0.1, "driver + pytest of local-gate": 0.1})
    assert "pytest of local-gate" in profiles.table(found)


def test_an_unknown_measurement_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--only", "a,z"])

    assert "z: not among a, b, c" in capsys.readouterr().err


@pytest.mark.parametrize("script", ["script.sh", "floor.sh", "steps.sh"])
def test_the_scripts_are_bash(script: str) -> None:
    subprocess.run(["bash", "-n", str(FOLDER / script)], check=True)


@pytest.mark.matrix(reason="test_a_changed_line_goes_live_without_a_failed_request shows a switch once")
@pytest.mark.e2e
@pytest.mark.docker
@pytest.mark.timeout(900)
def test_a_switch_under_load_is_counted(tmp_path: Path) -> None:
    results = Results()

    with command.deployed(tmp_path / "curtainup", service.python(tmp_path)) as deployed:
        seen = switches.switches(results, deployed, command.say, count=1, wanted=100)

    assert sum(seen.requests.values()) >= 100
    assert seen.failures == []


def test_h2load_s_summary_is_read() -> None:
    said = (
        "requests: 120 total, 118 started, 110 done, 104 succeeded, 6 failed, 0 errored, 0 timeout\n"
        "status codes: 104 2xx, 0 3xx, 0 4xx, 6 5xx\n"
    )
    assert https.Counted.of(said) == https.Counted(done=110, failed=6)
    with pytest.raises(ValueError, match="no count of requests"):
        https.Counted.of("h2load: unrecognized option")
