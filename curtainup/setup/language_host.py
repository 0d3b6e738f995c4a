"""Finds the language host with which plain `pulumi up` runs Python programs, or writes curtainup's own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from curtainup.setup import paths, pulumi
from curtainup.setup.engine_record import InstalledEngine
from curtainup.util.files import write_atomically

NAME = "pulumi-language-python"

MARK = "curtainup's Python language host"
"""The text that distinguishes curtainup's host from Pulumi's own."""


def find(engine: InstalledEngine) -> Path | None:
    """Return the language host that the engine would use; None if there is none or ours is out of date."""
    on_path = shutil.which(NAME)
    for host in (engine.command.parent / NAME, on_path and Path(on_path)):
        if host and host.is_file() and not _out_of_date(host):
            return host
    return None


def ensure(engine: InstalledEngine) -> Path:
    """Return the language host; write curtainup's own if there is none.

    It goes beside an engine that curtainup installed, where the engine finds it without a warning, else
    beside this interpreter.
    """
    found = find(engine)
    if found is not None:
        return found
    folder = engine.command.parent if pulumi.is_built(engine.command) else Path(sys.executable).parent
    host = folder / NAME
    write_atomically(host, f"#!{sys.executable}\n{_body()}", mode=0o755)
    return host


def _body() -> str:
    return (paths.offline_sources() / "language_host.py").read_text()


def _out_of_date(host: Path) -> bool:
    """Return whether a host is curtainup's, but has another text than today's or its interpreter is gone.

    Any interpreter will do, because a program that names its environment runs in that one.
    """
    with host.open("rb") as stream:
        start = stream.read(len(MARK) + 300)
    if MARK.encode() not in start:
        return False
    first, _, body = host.read_text().partition("\n")
    return body != _body() or not Path(first.removeprefix("#!")).is_file()
