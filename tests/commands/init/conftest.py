"""`actionlint`, built once from its Go module."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from curtainup.setup import paths
from curtainup.setup.go_build import find_go

ACTIONLINT = "v1.7.7"
LIMIT = 600
"""Seconds for the build, which takes well under a minute."""


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The checker of GitHub's workflows; it is kept in the user's cache, by version."""
    program = paths.cache_dir() / "tests" / f"actionlint-{ACTIONLINT}" / "actionlint"
    program.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{program.parent}.lock"):
        if not program.is_file():
            with tempfile.TemporaryDirectory(dir=program.parent.parent) as built:
                package = f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}"
                environ = {**os.environ, "GOBIN": built, "CGO_ENABLED": "0"}
                subprocess.run(
                    [find_go(), "install", package], check=True, env=environ, cwd="/", timeout=LIMIT
                )
                (Path(built) / "actionlint").rename(program)
    return program
