"""Code that runs as another user of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def as_stranger(imports: str, code: str) -> str:
    """Run code in another process as nobody, and return what it prints.

    Args:
        imports: what this process's user imports first: nobody may not read the packages.
        code: what nobody does then.

    """
    become = f"import os\nos.setgroups([])\nos.setgid({NOBODY})\nos.setuid({NOBODY})\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{become}{code}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
