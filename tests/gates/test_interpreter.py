from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.gates import ImageInterpreter, LocalInterpreter, ProvidedInterpreter, find_interpreter


def _python(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(sys.executable)
    return path


def _test(service: Path, text: str) -> None:
    (service / "test").mkdir()
    (service / "test" / "test_it.py").write_text(text)


def test_the_named_python_comes_first(tmp_path: Path) -> None:
    _python(tmp_path / ".venv" / "bin" / "python")
    named = _python(tmp_path / "other" / "bin" / "python")

    assert find_interpreter(tmp_path, str(named), ()) == LocalInterpreter(named)
    assert find_interpreter(tmp_path, "other/bin/python", ()) == LocalInterpreter(named)


def test_a_command_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = _python(tmp_path / "bin" / "python-of-the-shop")
    monkeypatch.setenv("PATH", str(command.parent))

    assert find_interpreter(tmp_path / "service", "python-of-the-shop", ()) == LocalInterpreter(command)


def test_then_the_services_virtual_environment_unresolved(tmp_path: Path) -> None:
    python = _python(tmp_path / ".venv" / "bin" / "python")

    assert find_interpreter(tmp_path, None, ["test"]) == LocalInterpreter(python)


def test_then_curtainups_own_for_tests_that_need_only_pytest_and_requests(tmp_path: Path) -> None:
    _test(tmp_path, "import os, pytest, requests\nfrom common import URL\n")
    (tmp_path / "test" / "common.py").write_text("URL = 'x'\n")

    assert find_interpreter(tmp_path, None, ["test"]) == ProvidedInterpreter()


def test_then_the_image(tmp_path: Path) -> None:
    _test(tmp_path, "import pytest\n\ndef test_it():\n    from server import app\n")

    assert find_interpreter(tmp_path, None, ["test"]) == ImageInterpreter(None)


def test_an_environment_may_be_called_venv_but_a_folder_of_that_name_is_none(tmp_path: Path) -> None:
    python = _python(tmp_path / "venv" / "bin" / "python")
    assert find_interpreter(tmp_path, None, ["test"]) == ProvidedInterpreter()

    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert find_interpreter(tmp_path, None, ["test"]) == LocalInterpreter(python)


@pytest.mark.parametrize("configured", ["no/such/python", "no-such-python", "."])
def test_a_named_python_that_is_not_there_is_refused(tmp_path: Path, configured: str) -> None:
    with pytest.raises(SetupError) as error:
        find_interpreter(tmp_path, configured, ())

    assert error.value.fix is not None
    assert "--python" in error.value.fix


def test_a_broken_virtual_environment_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/no/such/python")

    with pytest.raises(SetupError) as error:
        find_interpreter(tmp_path, None, ["test"])

    assert error.value.where == str(python)
