"""Forked processes of pytest: each is like a new one, and none outlives what it was forked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fork_server as server_side
import psutil
import pytest

from curtainup.errors import SetupError
from curtainup.gates import GateResult, LocalInterpreter, fork_server, run_gate, run_unit_tests
from curtainup.gates.forks import Forks
from tests.gates.conftest import OURS, MakeGate, MakeService, MakeUnitTests
from tests.interpreters import python_with
from tests.processes import wait_for_end

SMOKE_TESTS = 7
COVERAGE = ("pytest==9.2.0", "pytest-cov==7.0.0")
OTHER_ENDS = pytest.mark.matrix(
    reason="test_an_end_is_told_as_of_a_started_process shows a signal, and "
    "test_what_is_stopped_ends_with_all_that_it_started a run that was cancelled"
)
PASSING = "def test_it():\n    pass\n"
SAYS_HOW = """
import os, pathlib

with open("how", "a") as how:
    how.write(f"{'fork_server.py' in pathlib.Path('/proc/self/cmdline').read_text()} {os.getpid()}\\n")
"""
SAYS_ALL = """
import __main__, json, locale, os, resource, signal, sys, threading, warnings

MARK = "CURTAINUP_STARTED_BY"
shown = dict(one.partition("=")[::2] for one in open("/proc/self/environ").read().split("\\0"))
seen = {
    "path": sys.path, "argv": sys.argv, "flags": str(sys.flags), "modules": sorted(sys.modules),
    "warnings": [str(one) for one in warnings.filters], "warnoptions": sys.warnoptions,
    "environ": {**os.environ, MARK: os.environ[MARK] == shown[MARK]},
    "main": [__main__.__name__, __main__.__file__, __main__.__spec__.name],
    "folder": os.getcwd(), "umask": os.umask(0o22), "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "handlers": [str(signal.getsignal(one)).partition(" at ")[0] for one in signal.Signals],
    "mask": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "session": [os.getpid() == os.getsid(0), os.getpid() == os.getpgrp()],
    "threads": threading.active_count(), "tasks": len(os.listdir("/proc/self/task")),
    "input": [os.readlink("/proc/self/fd/0"), sys.__stdin__.read()],
    "output": [str(sys.__stdout__), sys.__stdout__.line_buffering, sys.__stdout__.write_through],
    "descriptors": len(os.listdir("/proc/self/fd")), "executable": sys.executable,
    "hooks": [type(one).__name__ for one in sys.meta_path], "encoding": locale.getpreferredencoding(),
}
"""
WAITS_WITH_OTHERS = """
import os, pathlib, signal, subprocess, sys, time

def test_it():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    apart = subprocess.Popen(["sleep", "600"], start_new_session=True)
    forked = os.fork()
    if forked == 0:
        os.setsid()
        time.sleep(600)
    pathlib.Path("new").write_text(f"{os.getpid()} {apart.pid} {forked} {os.getppid()}")
    os.rename("new", "pids")
    time.sleep(600)
"""


def eventually(is_so: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < give_up, f"never: {what}"
        time.sleep(0.01)


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    with Forks() as forks:
        forks.warm(OURS, tmp_path, for_gates=True)
        yield forks


def server_of(forks: Forks) -> psutil.Process:
    server = forks._servers[OURS]
    assert server is not None
    return psutil.Process(server.process.pid)


def forked(service: Path) -> list[bool]:
    """For each start of the suite, whether its process was forked."""
    return [line.split()[0] == "True" for line in (service / "how").read_text().splitlines()]


def pids(service: Path) -> list[int]:
    """The test's process, two that it started in sessions of their own, and the keeper."""
    eventually((service / "pids").exists, "started")
    return [int(pid) for pid in (service / "pids").read_text().split()]


def test_a_forked_gate_is_judged_like_a_started_one(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    service = make_service({"conftest.py": SAYS_HOW, "testaccept/test_it.py": PASSING})
    lines: list[str] = []

    result = run_gate(gate(service), forks=forks, on_line=lines.append)

    assert (result.passed, result.tests, result.reason) == (True, 1 + SMOKE_TESTS, None)
    assert forked(service) == [True]
    assert lines == result.log.read_text().splitlines()
    assert result.junit is not None


@pytest.mark.parametrize("is_gate", [True, False])
def test_a_forked_process_finds_what_a_new_one_finds(
    make_service: MakeService, gate: MakeGate, unit_tests: MakeUnitTests, tmp_path: Path, is_gate: bool
) -> None:
    write = f"{SAYS_ALL}\nwith open('seen', 'w') as file:\n    json.dump(seen, file)\n"
    service = make_service(
        {"conftest.py": write, "testaccept/test_it.py": PASSING, "test/test_it.py": PASSING}
    )

    def seen(forks: Forks | None) -> dict[str, Any]:
        if is_gate:
            result: GateResult = run_gate(gate(service), forks=forks)
        else:
            result = run_unit_tests(unit_tests(service), forks=forks)
        assert result.passed, result
        found: dict[str, Any] = json.loads((service / "seen").read_text())
        found["argv"] = [one for one in found["argv"] if not one.startswith("--junitxml")]
        return found

    with Forks() as forks:
        forks.warm(OURS, service, for_gates=is_gate)
        assert seen(forks) == seen(None)
        assert forks.serves(OURS)


def test_no_gate_sees_anything_of_another(make_service: MakeService, gate: MakeGate, forks: Forks) -> None:
    conftest = (
        f"{SAYS_HOW}\nimport random, sys\n"
        "assert 'left' not in os.environ and not hasattr(sys, 'left') and 'helper' not in sys.modules\n"
        "os.environ['left'] = sys.left = 'here'\n"
        "import helper\n"
        "shown = pathlib.Path('/proc/self/environ').read_text() + str(os.environ)\n"
        "with open('seen', 'a') as seen:\n"
        "    print('first' in shown, 'second' in str(os.environ), helper.TEXT, random.random(), file=seen)\n"
    )
    service = make_service({"conftest.py": conftest, "helper.py": "TEXT = 1\n"})
    (service / "testaccept").mkdir()
    (service / "testaccept" / "test_it.py").write_text(PASSING)

    assert run_gate(gate(service, version="first"), forks=forks).tests == 1 + SMOKE_TESTS
    (service / "helper.py").write_text("TEXT = 'another'\n")
    assert run_gate(gate(service, version="second"), forks=forks).tests == 1 + SMOKE_TESTS

    first, second = ((service / "seen").read_text()).splitlines()
    assert first.split()[:3] == ["True", "False", "1"]
    assert second.split()[:3] == ["False", "True", "another"]
    assert first.split()[3] != second.split()[3]
    assert forked(service) == [True, True]


def test_unit_tests_find_imported_only_what_pytest_imports(
    make_service: MakeService, unit_tests: MakeUnitTests, gate: MakeGate
) -> None:
    alone = "import sys\nassert 'requests' not in sys.modules\n"
    test = f"{alone}{SAYS_HOW}\n{PASSING}"
    service = make_service({"test/test_it.py": test, "testaccept/test_it.py": SAYS_HOW + PASSING})

    with Forks() as forks:
        forks.warm(OURS, service, for_gates=False)
        for _ in range(2):
            assert run_unit_tests(unit_tests(service), forks=forks).passed
        assert forked(service) == [True, False]


def test_plugins_load_in_the_process_that_uses_them(
    make_service: MakeService, gate: MakeGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed"
    (installed / "shop-1.dist-info").mkdir(parents=True)
    (installed / "shop-1.dist-info" / "METADATA").write_text("Name: shop\nVersion: 1\n")
    (installed / "shop-1.dist-info" / "entry_points.txt").write_text("[pytest11]\nshop = shop_plugin\n")
    (installed / "shop_plugin.py").write_text(
        "import os, threading\n\nSEEN = os.getpid(), os.environ['CURTAINUP_VERSION']\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(installed))
    test = "import os, shop_plugin\n\ndef test_it():\n    assert shop_plugin.SEEN == (os.getpid(), 'v1')\n"
    service = make_service({"conftest.py": SAYS_HOW, "testaccept/test_it.py": test})

    with Forks() as forks:
        forks.warm(OURS, service, for_gates=True)
        for _ in range(2):
            result = run_gate(gate(service), forks=forks)
            assert result.passed, result

    assert forked(service) == [True, True]


def test_coverage_is_measured_as_in_a_started_process(
    make_service: MakeService, unit_tests: MakeUnitTests
) -> None:
    """pytest-cov loads by entry point and has to see the service's modules imported."""
    tests = "import shop\n\ndef test_it():\n    assert shop.half() == 1\n"
    service = make_service(
        {
            "conftest.py": SAYS_HOW,
            "shop.py": "def half():\n    return 1\n\ndef never():\n    return 2\n",
            "test/test_it.py": tests,
            "pytest.ini": "[pytest]\naddopts = --cov=shop --cov-report=term --cov-fail-under=75\n",
        }
    )
    interpreter = LocalInterpreter(python_with(*COVERAGE, made_for=repr(COVERAGE).encode()))
    covered = []

    with Forks() as forks:
        forks.warm(interpreter, service, for_gates=False)
        for used in (forks, None):
            result = run_unit_tests(unit_tests(service, interpreter=interpreter), forks=used)
            assert result.passed, result
            covered += [line for line in result.log.read_text().splitlines() if line.startswith("shop.py")]

    assert covered == ["shop.py       4      1    75%"] * 2
    assert forked(service) == [True, False]


def test_what_the_deployer_says_to_pytest_holds(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch, forks: Forks
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p own_plugin -n 1")
    plugin = "def pytest_report_header():\n    return 'the own plugin'\n"
    service = make_service({"own_plugin.py": plugin, "testaccept/test_it.py": SAYS_HOW + PASSING})

    result = run_gate(gate(service), forks=forks)

    assert (result.passed, result.tests) == (True, 1 + SMOKE_TESTS), result
    assert "the own plugin" in result.log.read_text()
    assert set(forked(service)) == {False}  # the workers of xdist are new processes


def test_a_suite_that_says_much_is_shown_whole(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    talk = "for number in range(20_000):\n    print('line', number)\n\n"  # more than a pipe holds
    service = make_service({"testaccept/test_it.py": talk + PASSING})
    lines: list[str] = []

    assert run_gate(gate(service, extra_args=("-s",)), forks=forks, on_line=lines.append).passed

    assert sum(line.startswith("line ") for line in lines) == 20_000


@pytest.mark.parametrize(
    "end",
    [
        "os.kill(os.getpid(), 9)",
        *(pytest.param(end, marks=OTHER_ENDS) for end in ("os._exit(3)", "os.abort()", "sys.exit(7)")),
        "raise KeyboardInterrupt",
    ],
)
def test_an_end_is_told_as_of_a_started_process(
    make_service: MakeService, gate: MakeGate, forks: Forks, end: str
) -> None:
    service = make_service({"testaccept/test_it.py": f"import os, sys\n\ndef test_it():\n    {end}\n"})

    result, other = run_gate(gate(service), forks=forks), run_gate(gate(service))

    assert not result.passed
    assert (result.reason, result.tests) == (other.reason, other.tests)
    assert forks.serves(OURS)


@pytest.mark.parametrize("stopped_by", ["cancel", pytest.param("timeout", marks=OTHER_ENDS)])
def test_what_is_stopped_ends_with_all_that_it_started(
    make_service: MakeService, gate: MakeGate, forks: Forks, stopped_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curtainup.util.process.GRACE", 0.5)
    service = make_service({"testaccept/test_it.py": WAITS_WITH_OTHERS})

    class WhenBegun:
        def is_set(self) -> bool:
            return stopped_by == "cancel" and (service / "pids").exists()

    timeout = 600 if stopped_by == "cancel" else 8
    result = run_gate(gate(service, timeout=timeout), forks=forks, cancel=WhenBegun())

    assert (result.passed, result.stopped) == (False, stopped_by == "cancel")
    for pid in pids(service):
        wait_for_end(pid)
    assert server_of(forks).is_running()


def test_what_is_cancelled_before_it_begins_never_begins(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    service = make_service({"testaccept/test_it.py": SAYS_HOW + PASSING})
    cancel = threading.Event()
    cancel.set()
    server_of(forks).suspend()

    result = run_gate(gate(service), forks=forks, cancel=cancel)
    server_of(forks).resume()
    again = run_gate(gate(service), forks=forks)

    assert (result.stopped, result.tests) == (True, 0)
    assert again.passed
    assert forked(service) == [True]


def test_a_killed_server_is_not_missed(make_service: MakeService, gate: MakeGate, forks: Forks) -> None:
    service = make_service({"testaccept/test_it.py": SAYS_HOW + PASSING})
    server_of(forks).kill()

    for _ in range(2):
        assert run_gate(gate(service), forks=forks).passed

    assert forked(service) == [False, False]
    assert not forks.serves(OURS)


def test_a_server_that_does_not_answer_is_not_waited_for(
    make_service: MakeService, gate: MakeGate, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "ANSWER", 0.1)
    service = make_service({"testaccept/test_it.py": SAYS_HOW + PASSING})
    server = server_of(forks)
    server.suspend()

    assert run_gate(gate(service), forks=forks).passed

    assert forked(service) == [False]
    wait_for_end(server.pid)


def test_a_gate_goes_on_when_the_server_is_killed(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    test = "import os, signal\n\ndef test_it():\n    os.kill(int(os.environ['SERVER']), signal.SIGKILL)\n"
    service = make_service({"testaccept/test_it.py": SAYS_HOW + test})
    request = gate(service, extra_env={"SERVER": str(server_of(forks).pid)})

    assert run_gate(request, forks=forks).passed

    assert forked(service) == [True]


def test_a_gate_whose_keeper_is_killed_starts_again_and_leaves_nothing(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    again = "\nif pathlib.Path('pids').exists():\n    def test_it():\n        pass\n"
    service = make_service({"testaccept/test_it.py": SAYS_HOW + WAITS_WITH_OTHERS + again})
    ended: list[GateResult] = []
    judging = threading.Thread(target=lambda: ended.append(run_gate(gate(service), forks=forks)))
    judging.start()
    *started, keeper = pids(service)
    os.kill(keeper, signal.SIGKILL)
    judging.join()

    assert ended[0].passed, ended[0]
    assert "so pytest starts again" in ended[0].log.read_text()
    assert forked(service) == [True, False]
    for pid in started:
        wait_for_end(pid)


@pytest.mark.parametrize("begun", [True, False])
def test_a_killed_driver_leaves_no_process(make_service: MakeService, gate: MakeGate, begun: bool) -> None:
    service = make_service({"testaccept/test_it.py": WAITS_WITH_OTHERS})
    request = gate(service)
    driver = (
        "import pathlib, signal, sys\n"
        "from curtainup.gates import GateRequest, LocalInterpreter, run_gate\n"
        "from curtainup.gates.forks import Forks\n"
        "ours = LocalInterpreter(pathlib.Path(sys.executable))\n"
        f"service = pathlib.Path({str(service)!r})\n"
        f"request = GateRequest(service='shop', service_dir=service, interpreter=ours, timeout=600, "
        f"folder=pathlib.Path({str(request.folder)!r}), url={request.url!r}, environment='staging', "
        "pym_env='shop-staging')\n"
        "forks = Forks()\n"
        "forks.warm(ours, service, for_gates=True)\n"
        "print(forks._servers[ours].process.pid, flush=True)\n"
        f"run_gate(request, forks=forks) if {begun} else signal.pause()\n"
    )

    with subprocess.Popen([sys.executable, "-c", driver], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        started = pids(service) if begun else []
        process.kill()

    for pid in (server, *started):
        wait_for_end(pid)


def test_a_closed_server_is_gone(tmp_path: Path) -> None:
    with Forks() as forks:
        forks.warm(OURS, tmp_path, for_gates=True)
        server = server_of(forks)

    assert not server.is_running()


def test_code_that_runs_at_every_start_still_does(
    make_service: MakeService, gate: MakeGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        "import os, sys\n\nsys.seen = os.environ.get('CURTAINUP_VERSION')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(own))
    test = "import sys\n\ndef test_it():\n    assert sys.seen == 'v1'\n"
    service = make_service({"testaccept/test_it.py": SAYS_HOW + test})

    with Forks() as forks:
        forks.warm(OURS, service, for_gates=True)
        result = run_gate(gate(service), forks=forks)

    assert result.passed, result
    assert forked(service) == [False]


def test_a_service_whose_module_has_the_name_of_one_that_is_imported_gets_a_new_process(
    make_service: MakeService, gate: MakeGate, forks: Forks
) -> None:
    own = Path(textwrap.__file__).read_text() + "\nOWN = True\n"
    test = "import textwrap\n\ndef test_it():\n    assert textwrap.OWN\n"
    service = make_service({"textwrap.py": own, "testaccept/test_it.py": SAYS_HOW + test})

    assert run_gate(gate(service), forks=forks).passed

    assert forked(service) == [False]


def test_a_folder_that_is_no_package_hides_no_module(tmp_path: Path) -> None:
    (tmp_path / "json").mkdir()
    (tmp_path / "json.yaml").touch()
    assert not server_side.is_shadowed(str(tmp_path))
    (tmp_path / "json" / "__init__.py").touch()
    assert server_side.is_shadowed(str(tmp_path))


def test_an_interpreter_that_does_not_start_is_said_as_ever(
    make_service: MakeService, gate: MakeGate, tmp_path: Path, broken_python: LocalInterpreter
) -> None:
    with Forks() as forks:
        forks.warm(broken_python, tmp_path, for_gates=True)
        with pytest.raises(SetupError, match="does not start"):
            run_gate(gate(make_service({}), interpreter=broken_python), forks=forks)
