"""What lets plain `pulumi up` run a Python program: beside the engine, on PATH, else our own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from curtainup.files import write_atomically
from curtainup.setup import paths, pulumi
from curtainup.setup.engine import Engine

NAME = "pulumi-language-python"


def find(engine: Engine) -> Path | None:
    """Return the language host that the engine would use; None when there is none, or ours is out of date."""
    on_path = shutil.which(NAME)
    for host in (engine.command.parent / NAME, on_path and Path(on_path)):
        if host and host.is_file() and not _out_of_date(host):
            return host
    return None


def ensure(engine: Engine) -> Path:
    """Return the language host, writing our own when there is none.

    It goes beside an engine of ours, where it is found without a warning, else beside this interpreter.
    """
    found = find(engine)
    if found is not None:
        return found
    folder = engine.command.parent if pulumi.is_built(engine.command) else Path(sys.executable).parent
    host = folder / NAME
    write_atomically(host, _text(sys.executable), mode=0o755)
    return host


def _text(interpreter: str) -> str:
    return f"#!{interpreter}\n{(paths.engine_sources() / 'language_host.py').read_text()}"


def _out_of_date(host: Path) -> bool:
    """Whether a host is one of ours and not today's, or its interpreter is gone."""
    with host.open("rb") as stream:
        first = stream.readline().decode(errors="replace").strip()
        rest = stream.read(200).decode(errors="replace")
    if not first.startswith("#!") or MARK not in rest:
        return False
    interpreter = first.removeprefix("#!")
    return not Path(interpreter).is_file() or host.read_text() != _text(interpreter)


MARK = "curtainup's Python language host"
