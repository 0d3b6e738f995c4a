"""`curtainup init` as a process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the command line; `-P` keeps the service's modules out of ours."""
    return [sys.executable, "-P", "-m", "curtainup", "init", str(folder), *arguments]


def init(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal, and check its exit code."""
    done = subprocess.run(
        command(folder, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def at_a_terminal(folder: Path, answers: str, *arguments: str) -> None:
    """Run the command with a terminal for its input, at which somebody types."""
    ours, its = pty.openpty()
    try:
        os.write(ours, answers.encode())
        subprocess.run(command(folder, *arguments), stdin=its, check=True, capture_output=True)
    finally:
        os.close(ours)
        os.close(its)
