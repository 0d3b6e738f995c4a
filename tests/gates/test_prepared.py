"""Gates whose real pytest processes start before what they test is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from curtainup.errors import SetupError
from curtainup.gates import ImageInterpreter, LocalInterpreter, prepare_gate, prepared, run_gate
from tests.gates.conftest import MakeGate, MakeService
from tests.gates.serving import HEALTHY, Answer, Served, paths, serve

SMOKE_TESTS = 7
PATIENCE = 300.0
SAYS_WHEN_COLLECTED = """
import pathlib

with open("started", "a") as file:
    file.write("once\\n")

def pytest_collection_finish():
    pathlib.Path("collected").touch()
"""
ASKS_FIRST = """
import pytest
import requests

@pytest.fixture(autouse=True, scope="session")
def ask(base_url):
    requests.get(base_url + "/ping", timeout=60)
"""
NOT_READY_YET = """
import os

if not pathlib.Path("ready").exists():
    os.environ["CURTAINUP_URL"] = "http://127.0.0.1:1"
"""
PASSING = "def test_it():\n    pass\n"
ASKS_WHEN_IMPORTED = """
import os
import requests

ANSWER = requests.get(os.environ["CURTAINUP_URL"] + "/version", timeout=60)

def test_it():
    assert ANSWER.json()["version"] == "v1"
"""
GIVES_UP_WHEN_IMPORTED = """
import os
import pytest
import requests

try:
    requests.get(os.environ["CURTAINUP_URL"] + "/ping", timeout=60)
except OSError:
    pytest.skip("there is no service", allow_module_level=True)

def test_it():
    pass
"""
ASKS_BY_ANOTHER_PROGRAM = """
import subprocess

def test_it():
    pass

subprocess.run(["true"], check=True)
"""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was collected slowly is not too old here."""
    monkeypatch.setattr(prepared, "FRESH", PATIENCE)


def eventually(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < give_up, f"never: {what}"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process is there, dead and unreaped included."""
    return psutil.pid_exists(pid)


def wait_until_collected(service: Path) -> None:
    eventually((service / "collected").exists, "collected")


def pid_of(gate: prepared.PreparedGate) -> int:
    assert gate._waiting is not None
    return gate._waiting.running._process.pid


def starts(service: Path) -> int:
    return len((service / "started").read_text().splitlines())


def test_tests_begin_with_the_go_and_not_before(
    make_service: MakeService, gate: MakeGate, healthy: Served
) -> None:
    service = make_service(
        {"conftest.py": SAYS_WHEN_COLLECTED + ASKS_FIRST, "testaccept/test_it.py": PASSING}
    )
    lines: list[str] = []

    with prepare_gate(gate(service)) as waiting:
        wait_until_collected(service)
        assert healthy.asked == []
        go = time.monotonic()
        result = waiting.run(on_line=lines.append)

    assert (result.passed, result.tests, result.reason) == (True, 1 + SMOKE_TESTS, None)
    assert result.seconds <= time.monotonic() - go
    assert starts(service) == 1
    assert lines == result.log.read_text().splitlines()
    assert "test session starts" in lines[0]
    assert result.junit is not None
    tests = ET.parse(result.junit).getroot().iter("testcase")
    assert sum(float(case.get("time", "0")) for case in tests) <= result.seconds


def test_a_service_that_comes_up_after_collection_is_tested(
    make_service: MakeService, gate: MakeGate
) -> None:
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": PASSING})
    answers = dict.fromkeys(HEALTHY, Answer("not yet", 503))

    with (
        serve(paths(answers)) as served,
        prepare_gate(gate(service, url=served.url)) as waiting,
    ):
        wait_until_collected(service)
        answers.update(HEALTHY)
        assert waiting.run().passed

    assert starts(service) == 1


@pytest.mark.parametrize("suite", [ASKS_WHEN_IMPORTED, GIVES_UP_WHEN_IMPORTED])
def test_a_suite_that_asked_before_anything_answered_is_started_again(
    make_service: MakeService, gate: MakeGate, suite: str
) -> None:
    """Its module failed to load, or chose to skip itself: neither says anything of what is there now."""
    conftest = SAYS_WHEN_COLLECTED + NOT_READY_YET
    service = make_service({"conftest.py": conftest, "testaccept/test_it.py": suite})
    lines: list[str] = []

    with prepare_gate(gate(service)) as waiting:
        eventually(lambda: _has_ended(waiting), "ended without the go")
        (service / "ready").touch()
        result = waiting.run(on_line=lines.append)

    assert (result.passed, result.tests, result.skipped) == (True, 1 + SMOKE_TESTS, 1), result
    assert starts(service) == 2
    assert lines == result.log.read_text().splitlines()
    assert sum("test session starts" in line for line in lines) == 1


def test_an_answer_of_the_release_before_is_not_taken_for_the_new_ones(
    make_service: MakeService, gate: MakeGate
) -> None:
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": ASKS_WHEN_IMPORTED})
    answers = {**HEALTHY, "/version": Answer('{"version": "v0"}')}

    with (
        serve(paths(answers)) as served,
        prepare_gate(gate(service, url=served.url)) as waiting,
    ):
        wait_until_collected(service)
        answers.update(HEALTHY)
        result = waiting.run()

    assert result.passed, result
    assert starts(service) == 2


def test_a_suite_that_starts_programs_when_imported_is_started_again(
    make_service: MakeService, gate: MakeGate
) -> None:
    service = make_service(
        {"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": ASKS_BY_ANOTHER_PROGRAM}
    )

    with prepare_gate(gate(service)) as waiting:
        wait_until_collected(service)
        assert waiting.run().passed

    assert starts(service) == 2


def test_a_suite_that_never_loads_is_judged_as_without_preparation(
    make_service: MakeService, gate: MakeGate
) -> None:
    files = {
        "testaccept/conftest.py": "raise RuntimeError('no database')\n",
        "testaccept/test_it.py": PASSING,
    }
    request = gate(make_service(files))

    with prepare_gate(request) as waiting:
        result = waiting.run()

    again = run_gate(request)
    assert (result.passed, result.reason, result.failed) == (False, again.reason, again.failed)
    assert "RuntimeError: no database" in (result.detail or "")


def test_a_suite_that_is_slower_than_the_deployment_runs_when_it_has_loaded(
    make_service: MakeService, gate: MakeGate
) -> None:
    slow = "import pathlib, time\n\nwhile not pathlib.Path('load').exists():\n    time.sleep(0.01)\n\n"
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": slow + PASSING})

    with prepare_gate(gate(service)) as waiting:
        go_on = threading.Timer(0.2, (service / "load").touch)
        go_on.start()
        result = waiting.run()

    assert (result.passed, result.tests) == (True, 1 + SMOKE_TESTS)
    assert starts(service) == 1


def test_the_workers_of_xdist_start_with_the_go(
    make_service: MakeService, gate: MakeGate, healthy: Served
) -> None:
    seen = "import os, pathlib\npathlib.Path('loaded').touch()\n\n"
    test = f"{seen}def test_it():\n    assert 'PYTEST_XDIST_WORKER' in os.environ\n"
    service = make_service(
        {
            "conftest.py": "import pathlib\n\npathlib.Path('started').touch()\n",
            "testaccept/test_it.py": test,
        }
    )

    with prepare_gate(gate(service, extra_args=("-n", "2"))) as waiting:
        eventually((service / "started").exists, "started")
        assert not (service / "loaded").exists()
        assert healthy.asked == []
        result = waiting.run()

    assert (result.passed, result.tests) == (True, 1 + SMOKE_TESTS), result


def test_a_suite_that_says_much_when_imported_waits_and_is_shown_whole(
    make_service: MakeService, gate: MakeGate
) -> None:
    talk = "for number in range(20_000):\n    print('line', number)\n\n"  # more than a pipe holds
    service = make_service({"testaccept/test_it.py": talk + PASSING})
    lines: list[str] = []

    with prepare_gate(gate(service, extra_args=("-s",))) as waiting:
        result = waiting.run(on_line=lines.append)

    assert result.passed
    assert sum(line.startswith("line ") for line in lines) == 20_000


def test_what_was_prepared_long_ago_is_started_again(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": PASSING})
    monkeypatch.setattr(prepared, "FRESH", 0.0)

    with prepare_gate(gate(service)) as waiting:
        wait_until_collected(service)
        pid = pid_of(waiting)
        assert waiting.run().passed

    assert starts(service) == 2
    assert not is_alive(pid)


@pytest.mark.parametrize("collected", [True, False])
def test_an_abandoned_gate_leaves_no_process(
    make_service: MakeService, gate: MakeGate, healthy: Served, collected: bool
) -> None:
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": PASSING})
    request = gate(service)

    waiting = prepare_gate(request)
    pid = pid_of(waiting)
    if collected:
        wait_until_collected(service)
    waiting.abandon()

    assert not is_alive(pid)
    assert healthy.asked == []
    assert not request.folder.exists() or not list(request.folder.iterdir())
    waiting.abandon()


def test_a_failing_step_abandons_the_gate(make_service: MakeService, gate: MakeGate) -> None:
    waiting = prepare_gate(gate(make_service({})))
    pid = pid_of(waiting)

    with pytest.raises(ZeroDivisionError), waiting:
        raise ZeroDivisionError

    assert not is_alive(pid)


def test_an_abandoned_gate_that_does_not_listen_is_killed_with_all_it_started(
    make_service: MakeService, gate: MakeGate
) -> None:
    deaf = (
        "import pathlib, signal, subprocess, threading\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\npathlib.Path('collected').touch()\n"
        "threading.Event().wait()\n"
    )
    service = make_service({"testaccept/conftest.py": deaf})

    waiting = prepare_gate(gate(service))
    pid = pid_of(waiting)
    wait_until_collected(service)
    waiting.abandon()

    assert not is_alive(pid)
    child = int((service / "pid").read_text())
    eventually(
        lambda: not is_alive(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, "killed"
    )


def test_a_driver_that_is_killed_leaves_no_waiting_process(make_service: MakeService, gate: MakeGate) -> None:
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": PASSING})
    request = gate(service)
    driver = (
        "import pathlib, signal, sys\n"
        "from curtainup.gates import GateRequest, LocalInterpreter, prepare_gate\n"
        f"request = GateRequest(service='shop', service_dir=pathlib.Path({str(service)!r}), "
        f"interpreter=LocalInterpreter(pathlib.Path(sys.executable)), "
        f"folder=pathlib.Path({str(request.folder)!r}), timeout=60, url={request.url!r}, "
        "environment='staging', pym_env='shop-staging')\n"
        "waiting = prepare_gate(request)\n"
        "print(waiting._waiting.running._process.pid, flush=True)\n"
        "signal.pause()\n"
    )

    with subprocess.Popen([sys.executable, "-c", driver], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        wait_until_collected(service)
        assert is_alive(pid)
        process.send_signal(signal.SIGKILL)

    eventually(lambda: not is_alive(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "ended")


def test_cancelled_tests_are_not_started_again(make_service: MakeService, gate: MakeGate) -> None:
    endless = "import threading\n\nthreading.Event().wait()\n"
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": endless})
    cancel = threading.Event()
    cancel.set()

    with prepare_gate(gate(service)) as waiting:
        result = waiting.run(cancel=cancel)

    assert result.stopped
    assert result.reason == "the tests were stopped before they ended"


def test_a_suite_that_never_loads_in_time_is_stopped_and_not_started_again(
    make_service: MakeService, gate: MakeGate
) -> None:
    endless = "import threading\n\nthreading.Event().wait()\n"
    service = make_service({"conftest.py": SAYS_WHEN_COLLECTED, "testaccept/test_it.py": endless})

    with prepare_gate(gate(service, timeout=1)) as waiting:
        eventually((service / "started").exists, "started")
        result = waiting.run()

    assert (result.passed, result.stopped) == (False, False)
    assert result.reason is not None
    assert result.reason.startswith("the tests took longer than 1 s and were stopped")
    assert starts(service) == 1


def test_the_pipe_reaches_neither_the_tests_nor_what_the_suite_starts(
    make_service: MakeService, gate: MakeGate
) -> None:
    look = (
        "import subprocess\n\nwith open('seen', 'a') as seen:\n"
        "    command = ['sh', '-c', 'ls -l /proc/self/fd; env']\n"
        "    subprocess.run(command, close_fds=False, stdout=seen, check=True)\n"
    )
    service = make_service({"testaccept/conftest.py": look, "testaccept/test_it.py": PASSING})

    with prepare_gate(gate(service)) as waiting:
        assert waiting._waiting is not None
        pipe = os.fstat(waiting._waiting.go.descriptor).st_ino
        assert waiting.run().passed

    seen = (service / "seen").read_text()
    assert "pipe:[" in seen
    assert f"pipe:[{pipe}]" not in seen
    assert "CURTAINUP_GO_FD" not in seen


def test_what_cannot_be_started_is_said_when_it_is_run(
    make_service: MakeService, gate: MakeGate, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/no/such/program\n")
    python.chmod(0o755)

    waiting = prepare_gate(gate(make_service({}), interpreter=LocalInterpreter(python)))

    with waiting, pytest.raises(SetupError, match="does not start"):
        waiting.run()


def test_nothing_is_started_early_in_an_image(make_service: MakeService, gate: MakeGate) -> None:
    with prepare_gate(gate(make_service({}), interpreter=ImageInterpreter("no-such-image"))) as waiting:
        assert waiting._waiting is None


def _has_ended(waiting: prepared.PreparedGate) -> bool:
    return bool(psutil.Process(pid_of(waiting)).status() == psutil.STATUS_ZOMBIE)
