"""Interpreters with packages of their own: each is made once and kept among curtainup's caches."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from filelock import FileLock

from curtainup.setup import paths


def python_with(*arguments: str, made_for: bytes) -> Path:
    """Return an interpreter with what `pip install ARGUMENTS` brings; another `made_for` is another one."""
    made = paths.cache_dir() / "tests" / hashlib.sha256(made_for).hexdigest()[:12]
    python = made / "bin" / "python"
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{made}.lock"):
        if not (made / "complete").is_file():
            venv.create(made, clear=True)
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
            subprocess.run([*pip, *arguments], check=True)
            (made / "complete").touch()
    return python
