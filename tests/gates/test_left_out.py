from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.gates import run_gate
from curtainup.gates.junit import Report
from curtainup.gates.left_out import why
from tests.gates.conftest import MakeGate, MakeService

SMOKE = frozenset(
    f"test_smoke_{name}"
    for name in ("health", "keep_alive", "new_connections", "burst", "unknown_path", "version", "release")
)
TEST = "def test_it():\n    assert True\n"


def _service(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def _report(*ran: str, skipped: tuple[str, ...] = (), smoke: frozenset[str] = SMOKE) -> Report:
    return Report(0, 0, (), smoke | {*ran}, smoke | {*ran, *skipped})


def _why(service: Path, report: Report, addopts: str = "") -> str | None:
    return why(service, report, {"PYTEST_ADDOPTS": addopts})


@pytest.mark.parametrize(
    "address", ["testaccept.test_a.test_it", "services.shop.testaccept.test_a.TestIt.test_it"]
)
def test_a_file_that_ran_a_test_is_not_left_out_wherever_pytests_root_is(
    tmp_path: Path, address: str
) -> None:
    assert _why(_service(tmp_path, {"testaccept/test_a.py": TEST}), _report(address)) is None


@pytest.mark.parametrize(
    "text",
    [
        "URL = 'x'\n",
        "import pytest\n\n@pytest.fixture\ndef test_client():\n    return 1\n",
        "__test__ = False\n\ndef test_it():\n    pass\n",
        "class Base:\n    def test_it(self):\n        pass\n",
        "class TestBase:\n    __test__ = False\n\n    def test_it(self):\n        pass\n",
    ],
)
def test_a_file_without_tests_is_not_missed(tmp_path: Path, text: str) -> None:
    files = {"testaccept/test_a.py": TEST, "testaccept/test_tools.py": text, "testaccept/common.py": TEST}

    assert _why(_service(tmp_path, files), _report("testaccept.test_a.test_it")) is None


@pytest.mark.parametrize(
    "text",
    [
        "class TestIt:\n    def test_it(self):\n        pass\n",
        "import unittest\n\nclass Ping(unittest.TestCase):\n    def testPing(self):\n        pass\n",
        "async def test_it():\n    pass\n",
    ],
)
def test_one_file_of_two_is_missed_by_its_name(tmp_path: Path, text: str) -> None:
    files = {"testaccept/test_a.py": TEST, "testaccept/inner/testping.py": text}

    found = _why(_service(tmp_path, files), _report("testaccept.test_a.test_it"))

    assert found is not None
    assert found.startswith("no test of testaccept/inner/testping.py ran: ")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q --ignore=testaccept\n", "pytest.ini has --ignore=testaccept"),
        ("setup.cfg", '[tool:pytest]\naddopts = -m "not slow"\n', "setup.cfg has -m 'not slow'"),
        ("tox.ini", "[pytest]\npython_files = check_*.py\n", "tox.ini sets python_files = check_*.py"),
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\nnorecursedirs = ["a", "b"]\n',
            "pyproject.toml sets norecursedirs = a b",
        ),
        ("conftest.py", "collect_ignore = ['testaccept']\n", "conftest.py has collect_ignore"),
        (
            "testaccept/conftest.py",
            "def pytest_collection_modifyitems(items):\n    items.clear()\n",
            "modifyitems",
        ),
        ("README", "", "a plugin, or the file itself, leaves them out"),
    ],
)
def test_the_setting_that_left_tests_out_is_named(tmp_path: Path, file: str, text: str, said: str) -> None:
    found = _why(_service(tmp_path, {"testaccept/test_a.py": TEST, file: text}), _report())

    assert found is not None
    assert said in found


def test_variables_that_left_tests_out_are_named(tmp_path: Path) -> None:
    found = _why(_service(tmp_path, {"testaccept/test_a.py": TEST}), _report(), "-k ping --lf")

    assert found is not None
    assert "PYTEST_ADDOPTS has -k 'ping'; PYTEST_ADDOPTS has --lf" in found


def test_a_suite_may_skip_a_file_but_not_all_of_them(tmp_path: Path) -> None:
    service = _service(tmp_path, {"testaccept/test_a.py": TEST, "testaccept/test_b.py": TEST})
    one, other = "testaccept.test_a.test_it", "testaccept.test_b.test_it"

    assert _why(service, _report(one, skipped=(other,))) is None
    found = _why(service, _report(skipped=(one, other)))
    files = "testaccept/test_a.py, testaccept/test_b.py"
    assert found == f"no acceptance test of the service ran: all of {files} were skipped"


def test_the_smoke_suite_has_to_run_whole(tmp_path: Path) -> None:
    some = frozenset(name for name in SMOKE if "burst" not in name)

    found = _why(tmp_path, _report(smoke=some))

    assert found is not None
    assert found.startswith("the smoke suite did not run whole, without test_smoke_burst: ")


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ("addopts = -m other\nmarkers = other", "conftest.py"),
        ("addopts = -k no_such_test", "conftest.py"),
        ("addopts = -p no:junitxml -p no:terminal --lf --sw", "conftest.py"),
        ("python_files = check_*.py", "testaccept/conftest.py"),
    ],
)
def test_settings_can_neither_hide_a_failing_test_nor_take_the_smoke_suite_away(
    make_service: MakeService, gate: MakeGate, settings: str, file: str
) -> None:
    test = "def test_it():\n    assert False\n"
    service = make_service(
        {"testaccept/test_shop.py": test, "pytest.ini": f"[pytest]\n{settings}\n", file: ""}
    )

    result = run_gate(gate(service))

    assert not result.passed
    assert result.tests >= len(SMOKE)


def test_a_hook_of_the_service_cannot_take_the_smoke_suite_away(
    make_service: MakeService, gate: MakeGate
) -> None:
    hook = "def pytest_collection_modifyitems(items):\n    del items[1:]\n"

    result = run_gate(gate(make_service({"testaccept/test_shop.py": TEST, "conftest.py": hook})))

    assert (result.passed, result.tests) == (True, 1 + len(SMOKE)), result


def test_a_threshold_of_a_plugin_is_not_told_as_a_failure_before_the_tests(
    make_service: MakeService, gate: MakeGate
) -> None:
    hook = (
        "def pytest_sessionfinish(session):\n    session.exitstatus = 1\n\n"
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.write_line('FAIL Required test coverage of 90% not reached')\n"
    )

    result = run_gate(gate(make_service({"testaccept/test_shop.py": TEST, "conftest.py": hook})))

    assert result.reason == (
        "all 8 tests passed, but pytest or a plugin of it ended with exit code 1: "
        "FAIL Required test coverage of 90% not reached"
    )


def test_files_named_for_nose_run_but_not_tools_of_that_name(
    make_service: MakeService, gate: MakeGate
) -> None:
    ping = "import unittest\n\nclass Ping(unittest.TestCase):\n    def testPing(self):\n        pass\n"
    files = {
        "testaccept/test_shop.py": "import testtools\n\ndef test_it():\n    testtools.test_client(1)\n",
        "testaccept/testtools.py": "def test_client(port):\n    return port\n",
        "testaccept/testping.py": ping,
    }

    result = run_gate(gate(make_service(files)))

    assert (result.passed, result.junit is not None) == (True, True), result
    assert result.junit is not None
    report = result.junit.read_text()
    assert "testPing" in report
    assert "testtools" not in report
