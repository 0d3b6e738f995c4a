"""A shell that lives as long as somebody holds its pipe: this process, or one that has inherited it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping


def leashed(script: str, *arguments: str, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a shell, which the terminal's Ctrl-C does not reach.

    Args:
        script: what it runs; its standard input ends once nobody holds the pipe any more.
        arguments: `$0` and those after it.
        env: its variables.

    Returns:
        The shell, with its standard output unbuffered, and the end of the pipe that this process holds.

    Raises:
        OSError: it does not start.

    """
    kept, pipe = os.pipe()
    try:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", script, *arguments],
            env=dict(env),
            stdin=kept,
            bufsize=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        os.close(pipe)
        raise
    finally:
        os.close(kept)
    return shell, pipe
