"""A repository with services, which nobody deploys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml


class Services:
    """A repository whose folder `services` has services."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.git("init", "--quiet")

    def add(self, folder: str, *depends_on: str, name: str | None = None) -> Path:
        """Write a service, and return its folder."""
        keys = {"name": name or folder, "depends_on": list(depends_on)}
        self.write(f"services/{folder}/pym-config.yaml", yaml.safe_dump(keys))
        return self.write(f"services/{folder}/server.py", "print()\n").parent

    def write(self, path: str, text: str) -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self) -> str:
        self.git("add", "--all")
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        self.git(*who, "commit", "--quiet", "--allow-empty", "--message", "Commit")
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.top, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def services(tmp_path: Path) -> Services:
    top = tmp_path / "repository"
    top.mkdir()
    return Services(top)
