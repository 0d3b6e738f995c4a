from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.gates import ImageInterpreter, LocalInterpreter, ProvidedInterpreter, ready
from curtainup.gates.lending import command
from curtainup.setup import test_python


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A virtual environment without a package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    return tmp_path / "bare" / "bin" / "python"


@pytest.fixture
def provided(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let curtainup's environment for tests be the one that runs these tests."""
    monkeypatch.setattr(test_python, "ensure", lambda _: Path(sys.executable))
    monkeypatch.setattr(test_python, "packages", lambda _: Path(pytest.__file__).parent.parent)
    return Path(sys.executable)


def _quiet(_: str) -> None:
    pass


def test_tests_that_need_only_pytest_and_requests_get_curtainups_own_python(provided: Path) -> None:
    assert ready(ProvidedInterpreter(), _quiet) == LocalInterpreter(provided)


def test_an_interpreter_that_has_both_borrows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_python, "ensure", lambda _: pytest.fail("nothing is needed"))
    here = LocalInterpreter(Path(sys.executable))

    assert ready(here, _quiet) == here


def test_an_interpreter_without_pytest_borrows_it(bare: Path, provided: Path, tmp_path: Path) -> None:
    found = ready(LocalInterpreter(bare), _quiet)

    assert isinstance(found, LocalInterpreter)
    assert found.lent is not None
    (tmp_path / "test_it.py").write_text("import requests\n\ndef test_it():\n    assert requests.get\n")
    done = subprocess.run(
        [*command(str(found.python), found.lent), "-q", "test_it.py"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_what_cannot_be_lent_is_told_before_anything_is_built(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> Path:
        raise SetupError("no index is reached", detail="timed out")

    monkeypatch.setattr(test_python, "packages", fails)

    with pytest.raises(SetupError) as error:
        ready(LocalInterpreter(bare), _quiet)

    assert error.value.what == "the Python for the service's tests has no pytest and no requests"
    assert error.value.fix == f"{bare} -m pip install pytest requests"
    assert ready(ImageInterpreter(), _quiet) == ImageInterpreter()


def test_a_python_that_does_not_start_is_told_before_anything_is_built(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    python.chmod(0o755)

    with pytest.raises(SetupError, match="does not start") as error:
        ready(LocalInterpreter(python), _quiet)

    assert error.value.detail == "broken"
