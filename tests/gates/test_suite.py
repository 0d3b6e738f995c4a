"""Real pytest processes, against a real service on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
import venv
from functools import partial
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.gates import ImageInterpreter, LocalInterpreter, run_gate, run_unit_tests
from curtainup.util import process
from curtainup.util.secrets import Secret
from tests.clocks import Clock
from tests.gates.conftest import MakeGate, MakeService, MakeUnitTests
from tests.gates.serving import Served
from tests.processes import wait_for_end

SEED_STYLE = """
import os
import requests

URL = "http://%s:%s" % (os.environ["PYM_SERVER_HOST"], os.environ["PYM_SERVER_PORT"])

def test_ping():
    assert requests.get(URL + "/ping", timeout=60).status_code == 200

def test_environment():
    assert os.environ["PYM_ENV"] == "shop-staging"
"""
SMOKE_TESTS = 7


@pytest.fixture(
    autouse=True,
    params=[
        "forked",
        pytest.param(
            "started",
            marks=pytest.mark.matrix(
                reason="the same claims without a fork; test_fork_server shows once that such a gate runs"
            ),
        ),
    ],
)
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test run with forked processes, as in a deployment, and with started ones."""
    if request.param == "forked":
        for name, fixture in (("run_gate", "forks_for_gates"), ("run_unit_tests", "forks_for_unit_tests")):
            forked = partial(globals()[name], forks=request.getfixturevalue(fixture))
            monkeypatch.setitem(globals(), name, forked)


def test_a_suite_of_the_seed_runs_unchanged_beside_the_smoke_suite(
    make_service: MakeService, gate: MakeGate
) -> None:
    result = run_gate(gate(make_service({"testaccept/test_shop.py": SEED_STYLE})))

    assert result.passed
    assert result.reason is None
    assert result.tests == 2 + SMOKE_TESTS
    assert result.junit is not None
    assert "test_smoke_health" in result.junit.read_text()


def test_a_service_without_acceptance_tests_gets_the_smoke_suite(
    make_service: MakeService, gate: MakeGate
) -> None:
    broken = {"conftest.py": "raise RuntimeError", "pytest.ini": "[pytest]\nnonsense = true\n"}

    result = run_gate(gate(make_service(broken)))

    assert (result.passed, result.tests) == (True, SMOKE_TESTS)


def test_a_failed_test_is_shown_with_its_own_line(make_service: MakeService, gate: MakeGate) -> None:
    service = make_service(
        {"testaccept/test_shop.py": "class TestBasket:\n    def test_sum(self):\n        assert 1 + 1 == 3\n"}
    )

    result = run_gate(gate(service))

    assert not result.passed
    assert result.reason == "1 of 8 tests failed"
    (failed,) = result.failed
    assert failed.name == "testaccept/test_shop.py::TestBasket::test_sum"
    assert failed.location == "testaccept/test_shop.py:3"
    assert failed.message == "assert (1 + 1) == 3"
    assert failed.excerpt.startswith(">       assert 1 + 1 == 3\nE       assert (1 + 1) == 3")


def test_an_error_in_a_library_is_shown_at_the_tests_own_line(
    make_service: MakeService, gate: MakeGate
) -> None:
    test = "import requests\n\ndef test_it():\n    requests.get('http://127.0.0.1:1/', timeout=1)\n"

    (failed,) = run_gate(gate(make_service({"testaccept/test_shop.py": test}))).failed

    assert failed.location == "testaccept/test_shop.py:4"
    assert "requests.get('http://127.0.0.1:1/'" in failed.excerpt
    assert "ConnectionError" in failed.message


def test_a_failing_smoke_test_is_one_line_and_no_stack(make_service: MakeService, gate: MakeGate) -> None:
    result = run_gate(gate(make_service({}), version="v2"))

    (failed,) = result.failed
    assert failed.name == "smoke suite::test_smoke_version"
    assert failed.location is None
    assert failed.message == failed.excerpt
    assert failed.message.startswith("the version under test, v2, is not in: GET http://")


@pytest.mark.parametrize("alone", [True, False])
def test_a_url_where_nothing_answers_fails_each_smoke_test_in_a_line(
    make_service: MakeService, gate: MakeGate, alone: bool
) -> None:
    service = make_service({} if alone else {"testaccept/test_shop.py": "def test_nothing(): pass\n"})

    result = run_gate(gate(service, url="http://127.0.0.1:1"))

    assert len(result.failed) == SMOKE_TESTS - 1  # one is skipped: there is no proxy
    assert all(
        "Connection refused" in failed.message and "\n" not in failed.message for failed in result.failed
    )
    assert "Traceback" not in result.log.read_text()


def test_a_conftest_that_raises_is_said_and_shown(make_service: MakeService, gate: MakeGate) -> None:
    service = make_service(
        {
            "testaccept/conftest.py": "raise RuntimeError('no database')\n",
            "testaccept/test_shop.py": SEED_STYLE,
        }
    )

    result = run_gate(gate(service))

    assert not result.passed
    assert result.reason is not None
    assert "conftest.py" in result.reason
    assert result.detail is not None
    assert "RuntimeError: no database" in result.detail


def test_a_module_that_does_not_load_is_a_failed_test(make_service: MakeService, gate: MakeGate) -> None:
    result = run_gate(gate(make_service({"testaccept/test_shop.py": "import no_such_module\n"})))

    (failed,) = result.failed
    assert failed.message == "collection failure"
    assert "No module named 'no_such_module'" in failed.excerpt


def test_tests_of_the_same_name_as_ours_do_not_clash(make_service: MakeService, gate: MakeGate) -> None:
    passing = "def test_smoke_health(): pass\n"
    service = make_service({"testaccept/test_smoke.py": passing, "testaccept/smoke/test_smoke.py": passing})

    result = run_gate(gate(service, extra_args=("--import-mode=importlib",)))

    assert (result.passed, result.tests) == (True, 2 + SMOKE_TESTS)


def test_a_services_settings_and_fixtures_stay_in_force_and_do_not_reach_the_smoke_suite(
    make_service: MakeService, gate: MakeGate
) -> None:
    service = make_service(
        {
            "pytest.ini": "[pytest]\naddopts = --strict-markers --strict-config -p no:cacheprovider -n 2\n"
            "filterwarnings = error\npython_files = check_*.py\npython_functions = check_*\n",
            "conftest.py": "import pytest\n\n@pytest.fixture\ndef http():\n    return 'their own'\n",
            "testaccept/check_shop.py": "def check_http(http):\n    assert http == 'their own'\n\n"
            "def test_is_no_test():\n    assert False\n",
        }
    )

    result = run_gate(gate(service))

    assert (result.passed, result.tests, result.reason) == (True, 1 + SMOKE_TESTS, None), result


def test_fixtures_say_what_is_tested(make_service: MakeService, gate: MakeGate, healthy: Served) -> None:
    test = (
        "def test_it(http, base_url, environment_name, expected_version, expected_release):\n"
        f"    assert base_url == {healthy.url!r}\n"
        "    assert (environment_name, expected_version, expected_release) == ('staging', 'v1', 'r7f3a1c2')\n"
        "    assert http.get('/ping').url == http.get('ping').url == base_url + '/ping'\n"
    )

    result = run_gate(gate(make_service({"testaccept/test_it.py": test}), release="r7f3a1c2"))

    assert result.passed, result


def test_paths_among_the_extra_arguments_choose_the_acceptance_tests(
    make_service: MakeService, gate: MakeGate
) -> None:
    two = "def test_one(): pass\ndef test_two(): pass\n"
    service = make_service({"testaccept/test_shop.py": two})

    result = run_gate(gate(service, extra_args=("testaccept/test_shop.py::test_two",)))

    assert result.tests == 1 + SMOKE_TESTS


def test_a_gate_in_which_nothing_ran_is_not_passed(make_service: MakeService, gate: MakeGate) -> None:
    service = make_service({"testaccept/test_shop.py": SEED_STYLE})

    none_collected = run_gate(gate(service, extra_args=("-k", "no_such_test")))
    all_skipped = run_gate(gate(service, extra_args=("-k", "test_smoke_release")))

    assert (none_collected.passed, none_collected.reason) == (False, "pytest collected no test")
    assert not all_skipped.passed
    assert all_skipped.reason == "no test ran: all were skipped or left out"


def test_hanging_tests_are_stopped_with_all_they_started(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = (
        "import pathlib, subprocess, threading\n\ndef test_it():\n"
        "    child = subprocess.Popen(['sleep', '600'])\n"
        "    pathlib.Path('pid').write_text(str(child.pid))\n"
        "    pathlib.Path('hangs').touch()\n"
        "    threading.Event().wait()\n"
    )
    service = make_service({"testaccept/test_shop.py": test})
    monkeypatch.setattr(process, "time", Clock((service / "hangs").exists))
    monkeypatch.setattr(process, "GRACE", 300.0)

    result = run_gate(gate(service, timeout=600))

    assert not result.passed
    assert not result.stopped
    assert result.reason == (
        "the tests took longer than 600 s and were stopped, in testaccept/test_shop.py::test_it"
    ), result
    wait_for_end(int((service / "pid").read_text()))


def test_tests_that_ignore_sigint_are_killed(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = (
        "import pathlib, signal, threading\n\ndef test_it():\n"
        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    pathlib.Path('hangs').touch()\n    threading.Event().wait()\n"
    )
    service = make_service({"testaccept/test_shop.py": test})
    monkeypatch.setattr(process, "time", Clock((service / "hangs").exists))
    monkeypatch.setattr(process, "GRACE", 0.5)

    result = run_gate(gate(service, timeout=600))

    assert result.reason == "the tests took longer than 600 s and were stopped"
    assert result.junit is None


def test_tests_are_stopped_when_someone_cancels(make_service: MakeService, gate: MakeGate) -> None:
    test = "import threading\n\ndef test_it():\n    print('here', flush=True)\n    threading.Event().wait()\n"
    cancel = threading.Event()
    service = make_service({"testaccept/test_shop.py": test})

    def cancel_when_it_runs(line: str) -> None:
        if line.endswith("here"):
            cancel.set()

    result = run_gate(gate(service, extra_args=("-s",)), on_line=cancel_when_it_runs, cancel=cancel)

    assert result.stopped
    assert not result.passed
    assert result.reason == "the tests were stopped before they ended"


def test_a_process_that_tests_leave_behind_is_ended_and_delays_nothing(
    make_service: MakeService, gate: MakeGate
) -> None:
    test = (
        "import pathlib, subprocess\n\ndef test_it():\n"
        "    child = subprocess.Popen(['sh', '-c', 'while :; do echo noise; sleep 0.01; done'])\n"
        "    pathlib.Path('pid').write_text(str(child.pid))\n"
    )
    service = make_service({"testaccept/test_shop.py": test})

    result = run_gate(gate(service, extra_args=("-s", "-p", "no:unraisableexception"), timeout=600))

    assert result.passed, result
    assert result.seconds < 600
    wait_for_end(int((service / "pid").read_text()))


@pytest.mark.parametrize(
    "value", ["s3cr=t", "-----BEGIN KEY-----\nMIIEvQ==", 'it\'s "q" & <b>', "ünïcode", "back\\slash"]
)
def test_secrets_show_nowhere(
    make_service: MakeService, gate: MakeGate, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SHOP_SECRET", value)
    test = (
        "import os, requests\n\ndef test_it(record_property):\n    secret = os.environ['SHOP_SECRET']\n"
        "    print(secret)\n    record_property('secret', secret)\n    assert secret == 'another', secret\n"
    )
    lines: list[str] = []

    request = gate(make_service({"testaccept/test_shop.py": test}), redact=(Secret(value),))
    result = run_gate(request, on_line=lines.append)

    assert [failed.name for failed in result.failed] == ["testaccept/test_shop.py::test_it"], result
    (failed,) = result.failed
    written = [path.read_text() for path in request.folder.rglob("*") if path.is_file()]
    for part in {*value.splitlines(), *ascii(value)[1:-1].split("\\n")}:
        for text in (*written, *lines, repr(failed)):
            assert part not in text
    assert "***" in failed.message
    assert result.log in request.folder.iterdir()


def test_the_report_is_named_by_its_file_in_the_log(make_service: MakeService, gate: MakeGate) -> None:
    result = run_gate(gate(make_service({})))

    assert f"generated xml file: {result.junit}" in result.log.read_text()


def test_an_interpreter_without_pytest_or_requests_is_said_with_the_fix(
    make_service: MakeService, gate: MakeGate, unit_tests: MakeUnitTests, tmp_path: Path
) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    service = make_service({"test/test_it.py": "def test_it(): pass\n", "testaccept/test_it.py": SEED_STYLE})
    bare = LocalInterpreter(python)

    with pytest.raises(SetupError) as in_gate:
        run_gate(gate(service, interpreter=bare))
    with pytest.raises(SetupError) as in_unit_tests:
        run_unit_tests(unit_tests(service, interpreter=bare))
    _install_all_but(python, "requests")
    with pytest.raises(SetupError) as without_requests:
        run_gate(gate(service, interpreter=bare))

    assert "has no pytest" in in_gate.value.what
    assert "has no pytest" in in_unit_tests.value.what
    assert "has no requests" in without_requests.value.what
    assert in_gate.value.fix == f"{python} -m pip install pytest requests"


def _install_all_but(python: Path, missing: str) -> None:
    """Give a bare environment what this one has, but for one package."""
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    here, there = (
        Path(
            subprocess.run(
                [str(which), "-c", show], check=True, capture_output=True, text=True
            ).stdout.strip()
        )
        for which in (sys.executable, python)
    )
    for entry in here.iterdir():
        if not entry.name.startswith(missing) and not (there / entry.name).exists():
            (there / entry.name).symlink_to(entry)


def test_an_interpreter_that_cannot_start_is_a_matter_of_set_up(
    make_service: MakeService, gate: MakeGate, broken_python: LocalInterpreter
) -> None:
    with pytest.raises(SetupError, match="does not start"):
        run_gate(gate(make_service({}), interpreter=broken_python))


def test_an_image_must_be_known(make_service: MakeService, gate: MakeGate) -> None:
    with pytest.raises(ValueError, match="not known"):
        run_gate(gate(make_service({}), interpreter=ImageInterpreter()))


def test_unit_tests_run_with_nothing_of_ours(make_service: MakeService, unit_tests: MakeUnitTests) -> None:
    test = (
        "import importlib.util, os\n\ndef test_it(request):\n"
        "    assert not request.config.pluginmanager.has_plugin('curtainup_acceptance.plugin')\n"
        "    assert importlib.util.find_spec('curtainup_acceptance') is None\n"
        "    assert 'CURTAINUP_URL' not in os.environ\n"
        "    from server import app\n"
    )
    service = make_service({"test/test_it.py": test, "server.py": "app = None\n"})

    result = run_unit_tests(unit_tests(service))

    assert (result.passed, result.tests) == (True, 1), result


def test_a_service_without_unit_tests_passes_and_says_so(
    make_service: MakeService, unit_tests: MakeUnitTests
) -> None:
    service = make_service({})
    no_folder = run_unit_tests(unit_tests(service))
    (service / "test").mkdir()
    none_in_it = run_unit_tests(unit_tests(service))

    assert (no_folder.passed, no_folder.reason) == (True, "the service has no unit tests")
    assert (none_in_it.passed, none_in_it.reason) == (True, "pytest collected no test")


def test_failing_unit_tests_fail(make_service: MakeService, unit_tests: MakeUnitTests) -> None:
    result = run_unit_tests(
        unit_tests(make_service({"test/test_it.py": "def test_it():\n    assert False\n"}))
    )

    assert not result.passed
    assert [failed.location for failed in result.failed] == ["test/test_it.py:2"]


def test_tests_are_in_a_session_of_their_own(make_service: MakeService, unit_tests: MakeUnitTests) -> None:
    test = "import os\n\ndef test_it():\n    assert os.getsid(0) == os.getpgrp() == os.getpid()\n"

    assert run_unit_tests(unit_tests(make_service({"test/test_it.py": test}))).passed


def test_lines_come_while_the_tests_run(make_service: MakeService, unit_tests: MakeUnitTests) -> None:
    test = (
        "import pathlib, time\n\ndef test_it():\n    print('waiting')\n    give_up = time.monotonic() + 300\n"
        "    while not pathlib.Path('go-on').exists():\n"
        "        assert time.monotonic() < give_up\n        time.sleep(0.01)\n"
    )
    service = make_service({"test/test_it.py": test})

    def let_it_go_on(line: str) -> None:
        if line.endswith("waiting"):
            (service / "go-on").touch()

    assert run_unit_tests(unit_tests(service, extra_args=("-s",)), on_line=let_it_go_on).passed
