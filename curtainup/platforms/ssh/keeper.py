"""A process that lives as long as somebody holds its pipe: this process, or one that has inherited it."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from curtainup.util.leash import leashed

_SCRIPT = """\
"$@" </dev/null >/dev/null 2>>"$0/log" &
echo $!
read -r _
kill $!
wait
rm -rf -- "$0"
"""
"""Runs a command until everybody has closed the pipe that is standard input, and then ends it."""


class Kept:
    """A running command, and the small shell that ends it and removes its folder.

    Attributes:
        pipe: the end of the shell's standard input that this process holds.

    """

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        """Start a command; the terminal's Ctrl-C does not reach it, and what it says goes to `folder/log`."""
        self._log = folder / "log"
        self._log.write_text("")
        self._shell, self.pipe = leashed(_SCRIPT, str(folder), *command, env=environ)
        if self._shell.stdout is None:
            raise RuntimeError("the shell has no standard output")
        with self._shell.stdout as said:
            self._command = os.pidfd_open(int(said.readline()))

    @property
    def said(self) -> str:
        """What the command has written on standard error."""
        return self._log.read_text(errors="replace")

    def is_alive(self) -> bool:
        """Return whether the command still runs."""
        return not select.select([self._command], [], [], 0)[0]

    def wait(self) -> None:
        """Wait until the command has ended, however it ends."""
        select.select([self._command], [], [])

    def let_go(self, patience: float) -> None:
        """Hold it no longer; if nobody else does, wait for its end for some seconds."""
        os.close(self.pipe)
        with suppress(subprocess.TimeoutExpired):
            self._shell.wait(patience)
