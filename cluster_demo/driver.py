"""Runs curtainup as a demo does: what it says is seen, and what it prints as data is kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence


def curtainup(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a command, and return its exit code and what a deployment has printed as data."""
    out = subprocess.PIPE if command[0] == "deploy" else sys.stderr
    argv = [sys.executable, "-P", "-m", "curtainup", *command]
    done = subprocess.run(argv, check=False, env=dict(environ), stdout=out, text=True)
    return done.returncode, (done.stdout or "").strip()


def say(line: str) -> None:
    """Tell people something."""
    print(line, file=sys.stderr, flush=True)
