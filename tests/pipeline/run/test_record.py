from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from curtainup.errors import CanaryPaused, Interrupted, StagingGateFailed, TrafficReturned
from curtainup.gates import FailedTest, GateResult
from curtainup.gates.tally import ProbeResult
from curtainup.images.source import Source
from curtainup.pipeline.run import past_records
from curtainup.pipeline.run.record import Recorder
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

ID = "sha256:" + "a" * 64
DIGEST = "sha256:" + "b" * 64
REFERENCE = f"registry.example/hello@{DIGEST}"


@dataclass(frozen=True)
class Switched:
    url: str
    release: str
    changed: bool


def begun(folder: Path, command: str = "deploy", service: str = "hello") -> Recorder:
    return Recorder(folder, service, command, environ={})


def on_disk(recorder: Recorder) -> dict[str, object]:
    found: dict[str, object] = json.loads((recorder.folder / "record.json").read_text())
    return found


def test_nobody_else_reads_what_a_run_leaves(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "runs")
    assert recorder.folder.stat().st_mode & 0o777 == 0o700
    assert recorder.folder.parent.stat().st_mode & 0o777 == 0o700
    assert (recorder.folder / "record.json").stat().st_mode & 0o777 == 0o600


def gate_result(folder: Path, *, passed: bool = True) -> GateResult:
    failed = () if passed else (FailedTest("test_a", "testaccept/test_a.py:3", "assert 1 == 2", ""),)
    return GateResult(passed, 3, failed, 0, 0.51234, folder / "live/junit.xml", folder / "live/pytest.log")


def probe_result(total: int = 10) -> ProbeResult:
    return ProbeResult("http://127.0.0.1:1", "2026-06-12T10:15:00.000+00:00", 1.0, total, 0, (), (), ())


def test_a_run_that_was_killed_leaves_a_record_that_says_how_far_it_came(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from curtainup.pipeline.run.record import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]), 'hello', 'deploy')\n"
        "recorder.step_started('unit'); recorder.step_finished('unit', 'passed', '3 tests')\n"
        "recorder.step_started('build'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    found = past_records.latest(tmp_path)
    assert found is not None
    assert found.result is None
    assert found.ended is None
    assert [(step.name, step.outcome, step.detail) for step in found.steps] == [
        ("unit", "passed", "3 tests"),
        ("build", None, ""),
    ]


def test_a_run_has_a_folder_named_by_time_and_command(tmp_path: Path) -> None:
    recorders = [begun(tmp_path) for _ in range(3)]
    assert list(past_records.runs(tmp_path)) == [recorder.folder for recorder in recorders]
    assert all(recorder.folder.name.endswith("Z-deploy") for recorder in recorders)


def test_says_who_ran_it_and_in_which_ci_job(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "hello", "deploy", environ={"BUILD_URL": "https://ci/7", "HOME": "/x"})
    assert recorder.record.who.ci == {"BUILD_URL": "https://ci/7"}
    assert recorder.record.who.user
    assert recorder.record.who.host


def test_says_what_is_deployed(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.source(Source(tmp_path, "c0ffee", "260612-1015-3-c0ffee", "7ree", (), True, "https://example/r"))
    found = past_records.load(recorder.folder)
    assert found.version == "260612-1015-3-c0ffee"
    assert found.source is not None
    assert (found.source.commit, found.source.tree, found.source.dirty) == ("c0ffee", "7ree", True)


def test_a_proof_of_the_image_id_is_bound_to_the_digest_that_the_push_returned(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.proved("local", "http://127.0.0.1:1", None, ID, gate_result(recorder.folder))
    assert past_records.load(recorder.folder).proofs[0].digest == ""
    recorder.image(ID, REFERENCE)
    recorder.proved("live", "http://live", "r000001", REFERENCE, gate_result(recorder.folder))
    proofs = past_records.load(recorder.folder).proofs
    assert [(proof.image, proof.digest) for proof in proofs] == [(ID, DIGEST), (ID, DIGEST)]
    assert proofs[1].junit == "live/junit.xml"


def test_a_proof_of_another_image_is_not_bound(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.proved("local", "http://127.0.0.1:1", None, "sha256:" + "c" * 64, gate_result(recorder.folder))
    recorder.image("", REFERENCE)
    assert recorder.record.proofs[0].digest == ""


def test_tests_that_failed_are_recorded_by_name_and_prove_nothing(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.tests("live", gate_result(recorder.folder, passed=False))
    found = past_records.load(recorder.folder)
    assert found.suites[0].failed == ("test_a",)
    assert found.suites[0].log == "live/pytest.log"
    assert found.proofs == ()
    assert not recorder.is_proved("live", "r000001")


def test_a_proof_is_found_in_older_runs_and_taken_over(tmp_path: Path) -> None:
    older = begun(tmp_path)
    older.proved("live", "http://live", "r000001", REFERENCE, gate_result(older.folder))
    recorder = begun(tmp_path)
    assert recorder.is_proved("live", "r000001")
    assert not recorder.is_proved("live", "r000002")
    assert not recorder.is_proved("staging", "r000001")
    assert [proof.run for proof in past_records.load(recorder.folder).proofs] == [older.folder.name]
    assert recorder.is_proved("live", "r000001")
    assert len(recorder.record.proofs) == 1


def test_a_proof_of_another_service_or_in_an_unreadable_record_does_not_count(tmp_path: Path) -> None:
    other = begun(tmp_path, service="other")
    other.proved("live", "http://live", "r000001", REFERENCE, gate_result(other.folder))
    broken = begun(tmp_path)
    broken.proved("live", "http://live", "r000001", REFERENCE, gate_result(broken.folder))
    (broken.folder / "record.json").write_text("{")
    assert not begun(tmp_path).is_proved("live", "r000001")


def test_a_move_of_traffic_names_the_figures_of_its_probe(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.probe(probe_result(total=0))
    recorder.moved("live", None, "r000001")
    recorder.probe(probe_result())
    recorder.moved("live", "r000001", "r000002")
    recorder.probe(probe_result())
    moves = on_disk(recorder)["traffic"]
    assert isinstance(moves, list)
    assert [(move["from"], move["to"], move["probe"]) for move in moves] == [
        (None, "r000001", None),
        ("r000001", "r000002", "probe.json"),
    ]
    assert on_disk(recorder)["probes"] == ["probe.json", "probe-2.json"]
    assert json.loads((recorder.folder / "probe.json").read_text())["total"] == 10
    assert past_records.load(recorder.folder).traffic == recorder.record.traffic


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (Switched("http://live", "r000001", changed=True), "live"),
        (Switched("http://live", "r000001", changed=False), "unchanged"),
        (None, "done"),
    ],
)
def test_how_a_run_has_succeeded(tmp_path: Path, result: object, outcome: str) -> None:
    recorder = begun(tmp_path)
    recorder.succeeded(result)
    found = past_records.load(recorder.folder)
    assert found.ended is not None
    assert found.result is not None
    assert (found.result.outcome, found.result.exit_code) == (outcome, 0)
    assert found.result.release == (None if result is None else "r000001")


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (StagingGateFailed("acceptance tests failed", detail="assert 1 == 2"), "failed", 11),
        (TrafficReturned("probe failed"), "returned", 13),
        (Interrupted("interrupted"), "interrupted", 130),
        (CanaryPaused("too few samples"), "paused", 36),
    ],
)
def test_how_a_run_has_failed(tmp_path: Path, error: StagingGateFailed, outcome: str, code: int) -> None:
    recorder = begun(tmp_path)
    recorder.failed(error)
    result = past_records.load(recorder.folder).result
    assert result is not None
    assert (result.outcome, result.exit_code, result.why) == (outcome, code, error.what)
    assert result.detail == error.detail


def test_a_crash_is_a_failure_and_says_what_it_was(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.crashed(KeyError("x"))
    result = past_records.load(recorder.folder).result
    assert result is not None
    assert (result.outcome, result.exit_code, result.why) == ("failed", 1, "KeyError: 'x'")


def test_no_byte_of_a_secret_is_written(tmp_path: Path) -> None:
    secret = 'p=ss"w$rd\nzwölf Zeilen'
    redact = redactor([Secret(secret), Secret("live")])
    recorder = Recorder(tmp_path, "hello", "deploy", redact=redact, environ={"BUILD_URL": f"x{secret}"})
    recorder.step_started("build")
    recorder.step_finished("build", "failed", f"could not log in with {secret}")
    recorder.proved("live", f"http://{secret}", "r000001", REFERENCE, gate_result(recorder.folder))
    recorder.failed(StagingGateFailed(secret, detail=repr(secret)))
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()).decode()
    for piece in ("p=ss", "w$rd", "zwölf", "Zeilen"):
        assert piece not in written
    assert begun(tmp_path).is_proved("live", "r000001")


def test_steps_of_several_threads_are_all_recorded(tmp_path: Path) -> None:
    recorder = begun(tmp_path)

    def run(number: int) -> None:
        for turn in range(5):
            recorder.step_started(f"{number}-{turn}")
            recorder.step_finished(f"{number}-{turn}", "passed")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = past_records.load(recorder.folder)
    assert len(found.steps) == 20
    assert {step.outcome for step in found.steps} == {"passed"}


def test_a_step_that_ran_twice_ends_once_each(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    for outcome in ("failed", "passed"):
        recorder.step_started("push")
        recorder.step_finished("push", "failed" if outcome == "failed" else "passed")
    assert [step.outcome for step in recorder.record.steps] == ["failed", "passed"]


def test_a_full_disk_is_told_and_hides_no_other_error(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from curtainup.pipeline.run.record import Recorder\n"
        "from curtainup.errors import DiskFull\n"
        "recorder = Recorder(Path(sys.argv[1]), 'hello', 'deploy')\n"
        "try:\n"
        "    for _ in range(2000): recorder.step_started('x' * 500)\n"
        "except DiskFull as error: recorder.failed(error); print(error.what)\n"
    )
    small_disk = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=200k none "$1" && '
    if subprocess.run([*small_disk, f"{mount} true", "sh", tmp_path], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk of their own")
    ended = subprocess.run(
        [*small_disk, f'{mount} exec "$2" -c "$3" "$1"', "sh", tmp_path, sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.strip() == "no space is left for the record of this run", ended.stderr


@pytest.mark.parametrize("value", ["live", "1", "hello", "deploy", "r000001", "2026", "http", "127.0.0.1"])
def test_our_own_fields_stay_as_they_are_whatever_a_secret_is(tmp_path: Path, value: str) -> None:
    plain, recorder = begun(tmp_path / "a"), begun(tmp_path / "b")
    recorder.redact = redactor([Secret(value)])
    for one in (plain, recorder):
        one.step_started("live")
        one.step_finished("live", "passed", "1 test")
        one.source(Source(tmp_path, "c0ffee", "260612-1015-3-c0ffee", "7ree", (), True, "https://example/r"))
        one.image("sha256:1", REFERENCE)
        one.tests("live", gate_result(one.folder))
        one.proved("live", "https://hello.example/live", "r000001", REFERENCE, gate_result(one.folder))
        one.moved("live", "r000001", "r000002")
        one.succeeded(Switched("https://hello.example/live", "r000002", changed=True))

    assert timeless(on_disk(recorder)) == timeless(on_disk(plain))


def timeless(found: object) -> object:
    """Leave out the times, and the folder of the run."""
    if isinstance(found, dict):
        times = {"started", "ended", "at", "run", "junit", "log"}
        return {key: timeless(value) for key, value in found.items() if key not in times}
    return [timeless(one) for one in found] if isinstance(found, list) else found


def test_what_no_terminal_should_get_is_in_no_record(tmp_path: Path) -> None:
    environ = {"BUILD_URL": "https://ci/\udcff\x1b[2J\u202e7"}
    recorder = Recorder(tmp_path, "hello", "deploy", environ=environ)
    recorder.failed(StagingGateFailed("it says \x9b31m", detail="\x1b]0;title\x07"))
    written = (recorder.folder / "record.json").read_text(encoding="utf-8")
    assert not {"\x1b", "\x9b", "\u202e", "\\u001b"} & set(written)
    assert "https://ci/\ufffd7" in written
