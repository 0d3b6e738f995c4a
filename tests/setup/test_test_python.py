from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import paths, process, test_python


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> str:
        raise SetupError("installing pytest and requests failed", detail="no index is reached")

    monkeypatch.setattr(process, "run", run)


def test_the_environment_is_made_once_and_has_pytest_and_requests(cache: Path) -> None:
    said: list[str] = []

    python = test_python.ensure(said.append)
    again = test_python.ensure(lambda _: pytest.fail("it is there"))

    assert python == again
    assert python.is_relative_to(cache)
    assert "environment with pytest and requests" in said[0]
    subprocess.run([python, "-c", "import pytest, requests"], check=True, env={})
    assert (test_python.packages(lambda _: None) / "pytest").is_dir()
    assert [one.name for one in (cache / "tests-python").iterdir()] == [python.parent.parent.name]


def test_without_an_index_curtainups_own_pytest_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    _offline(monkeypatch)

    assert test_python.ensure(lambda _: None) == Path(sys.executable)
    with pytest.raises(SetupError):  # its other packages must not reach a service's tests
        test_python.packages(lambda _: None)


def test_without_any_pytest_the_fix_names_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    _offline(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(SetupError) as error:
        test_python.ensure(lambda _: None)

    assert error.value.detail == "no index is reached"
    assert ".venv" in str(error.value.fix)
    assert "--python" in str(error.value.fix)
