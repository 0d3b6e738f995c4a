"""`curtainup logs --follow` at work."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.service import PATIENCE, Service


@contextmanager
def following(service: Service, *arguments: str) -> Iterator[Iterator[str]]:
    """Follow until the end of the block, and then press Ctrl-C; gives the lines, which wait to be written.

    They end when nothing comes for PATIENCE seconds.
    """
    process = subprocess.Popen(
        service.command("logs", "--follow", *arguments),
        cwd=service.folder,
        env=service.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield (line.rstrip("\n") for line in process.stdout)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert err == "", "Ctrl-C is how it is meant to end"
