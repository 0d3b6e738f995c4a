"""Git repositories for tests of what is built from them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from curtainup.errors import SourceError
from curtainup.images import context, source

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2020-04-15T08:19:30Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_COMMITTER_DATE": "2020-04-15T08:19:30Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}
UNUSUAL = [
    "with space.txt",
    "größe.txt",
    "new\nline.txt",
    "return\r.txt",
    "-dash",
    ":colon",
    "back\\slash",
    '"q"',
]


class Repository:
    """A git repository with one commit that holds `server.py` and `app/util.py`."""

    def __init__(self, folder: Path, *, new: bool = True) -> None:
        self.folder = folder
        if not new:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.write("server.py", "app = 1\n")
        self.write("app/util.py", "x = 1\n")

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), "-c", "protocol.file.allow=always", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change")
        return self.git("rev-parse", "HEAD")

    def read(self, folder: str = ".", *, dirty: bool = False) -> source.Source:
        return source.read(self.folder / folder, allow_dirty=dirty)

    def clone(self, name: str, *options: str) -> Repository:
        """A clone beside this repository."""
        folder = self.folder.with_name(name)
        self.git("clone", "-q", *options, str(self.folder), str(folder))
        return Repository(folder, new=False)

    def export(self, folder: str = ".", *, dirty: bool = False) -> Path:
        """Lay out the build context of a folder, and return where it is."""
        target = self.folder.with_name(f"context-of-{self.folder.name}")
        context.export(self.read(folder, dirty=dirty), target, {})
        return target

    def refused(self, folder: str = ".", *, dirty: bool = False) -> SourceError:
        with pytest.raises(SourceError) as caught:
            self.read(folder, dirty=dirty)
        assert caught.value.fix
        assert "nothing was done" in str(caught.value.consequence)
        return caught.value


def snapshot(folder: Path) -> dict[str, str]:
    """Everything in a folder that a build can see: kind, mode and content of each path."""
    return {str(path.relative_to(folder)): _described(path) for path in sorted(folder.rglob("*"))}


def _described(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    mode = f"{path.stat().st_mode & 0o7777:o}"
    if path.is_dir():
        return f"folder {mode}"
    return f"file {mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
