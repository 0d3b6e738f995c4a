"""Remembers the engine that set-up found last, so that no command has to look for it again."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from curtainup.setup import paths, versions


@dataclass(frozen=True)
class InstalledEngine:
    """An engine that set-up has checked.

    Attributes:
        command: the absolute path of `pulumi`.
        version: such as `3.255.0`.
        path_entries: folders to put first on the engine's PATH, so that it finds the plugins beside itself
            and beside this interpreter.

    """

    command: Path
    version: str
    path_entries: tuple[str, ...]


def recorded() -> InstalledEngine | None:
    """Return the recorded engine; None if the record is missing, unreadable, too old or no longer true."""
    try:
        kept = json.loads(_record().read_text())
        command, version, stamp = Path(kept["command"]), str(kept["version"]), kept["stamp"]
        if _stamp(command) != stamp or not versions.at_least(version, versions.ENGINE_MINIMUM):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _engine(command, version)


def record(command: Path, version: str) -> InstalledEngine:
    """Record a checked engine for `locate`."""
    from curtainup.util.files import write_atomically

    kept = {"command": str(command), "version": version, "stamp": _stamp(command)}
    _record().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(_record(), json.dumps(kept) + "\n")
    return _engine(command, version)


def _engine(command: Path, version: str) -> InstalledEngine:
    return InstalledEngine(command, version, (str(command.parent), str(Path(sys.executable).parent)))


def _record() -> Path:
    return paths.cache_dir() / "engine.json"


def _stamp(command: Path) -> list[int]:
    """Return numbers that distinguish a file from another that replaces it."""
    status = command.stat()
    if not os.access(command, os.X_OK):
        raise OSError(f"{command} cannot be executed")
    return [status.st_mtime_ns, status.st_size]
