from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import engine, engine_record
from tests.setup.conftest import Script

HEAVY = ("docker", "grpc", "importlib.metadata", "pulumi", "pydantic", "requests", "subprocess", "yaml")


def _pulumi(script: Script, asked: Path, version: str = "v3.300.1") -> Path:
    """Write an engine that counts how often it is asked."""
    return script("bin/pulumi", f"echo asked >> {asked}\necho {version}")


def test_an_engine_on_path_is_asked_once(
    cache: Path, script: Script, first_on_path: Path, tmp_path: Path
) -> None:
    command = _pulumi(script, tmp_path / "asked")
    first, second = engine.locate(), engine.locate()
    assert first == second
    assert (first.command, first.version) == (command, "3.300.1")
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_its_folder_and_this_interpreters_come_first_on_its_path(
    cache: Path, script: Script, first_on_path: Path, tmp_path: Path
) -> None:
    _pulumi(script, tmp_path / "asked")
    assert engine.locate().path_entries == (str(first_on_path), str(Path(sys.executable).parent))


def test_an_engine_that_was_upgraded_is_asked_again(
    cache: Path, script: Script, first_on_path: Path, tmp_path: Path
) -> None:
    _pulumi(script, tmp_path / "asked")
    engine.locate()
    _pulumi(script, tmp_path / "asked", version="v3.301.0-and-longer")
    assert engine.locate().version == "3.301.0"


@pytest.mark.usefixtures("cache", "first_on_path")
def test_an_engine_that_is_too_old_is_none(script: Script, tmp_path: Path) -> None:
    _pulumi(script, tmp_path / "asked", version="v3.90.0")
    with pytest.raises(SetupError, match="engine is missing") as caught:
        engine.locate()
    assert caught.value.fix == "curtainup doctor --fix"


@pytest.mark.usefixtures("cache", "alone_on_path")
def test_an_engine_that_was_removed_is_missing(script: Script, tmp_path: Path) -> None:
    _pulumi(script, tmp_path / "asked")
    engine.locate().command.unlink()
    with pytest.raises(SetupError, match="engine is missing"):
        engine.locate()


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"command": 1, "version": 2, "stamp": 3}', "null"])
def test_a_broken_record_is_written_anew(
    cache: Path, script: Script, first_on_path: Path, tmp_path: Path, kept: str
) -> None:
    _pulumi(script, tmp_path / "asked")
    cache.mkdir(parents=True)
    (cache / "engine.json").write_text(kept)
    assert engine.locate() == engine_record.recorded()


def test_a_known_engine_is_found_without_anything_heavy(
    cache: Path, script: Script, first_on_path: Path, tmp_path: Path
) -> None:
    _pulumi(script, tmp_path / "asked")
    engine.locate()
    program = "import sys; from curtainup.setup import engine; engine.locate(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(loaded.stdout.split())
    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.usefixtures("cache")
def test_an_engine_that_may_not_be_executed_is_not_recorded_as_one(
    script: Script, first_on_path: Path, tmp_path: Path
) -> None:
    command = _pulumi(script, tmp_path / "asked")
    engine.locate()
    stamp = command.stat()
    command.chmod(0o644)
    os.utime(command, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert engine_record.recorded() is None
