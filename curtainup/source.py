"""The service's source: which commit it is, what git tracks of it, and its version."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from curtainup.errors import SourceError

SHORT = 6


@dataclass(frozen=True)
class Source:
    """What is to be deployed.

    Attributes:
        folder: the service's folder.
        revision: the commit, in full.
        version: date, commit count and short hash, as `200415-0819-953-b3548e`; a dirty tree adds
            `-dirty-` and a hash of it.
        tree: hash of the tracked files as they are now.
        files: the tracked files that exist, relative to the folder.
        dirty: whether tracked files differ from the commit.
        url: of the remote `origin`, without user and password; may be empty.

    """

    folder: Path
    revision: str
    version: str
    tree: str
    files: tuple[str, ...]
    dirty: bool
    url: str


def read(folder: Path, *, allow_dirty: bool) -> Source:
    """Return the source in a folder of a git repository.

    Raises:
        SourceError: no git, no repository, no commit, nothing tracked, or a dirty tree.

    """
    if shutil.which("git") is None:
        raise SourceError(
            "git is not installed",
            consequence="the version and the files to build from come from it, so nothing was done",
            fix="apt-get install git",
        )
    revision, count, seconds = _commit(folder)
    files = tuple(_lines(folder, "ls-files", "-z"))
    if not files:
        raise SourceError(
            "git tracks no file here",
            where=str(folder),
            consequence="only tracked files are built, so nothing was done",
            fix="git add the service's files and commit them",
        )
    changed = tuple(_lines(folder, "diff", "--name-only", "--relative", "-z", "HEAD", "--", "."))
    if changed and not allow_dirty:
        raise SourceError(
            f"{len(changed)} tracked file{'s' * (len(changed) > 1)} differ from the last commit",
            where=", ".join(changed[:5]) + (" …" if len(changed) > 5 else ""),
            consequence="a version must say what it holds, so nothing was done",
            fix="commit them, or deploy the tree as it is with --dirty",
        )
    tree = _tree(folder, changed)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d-%H%M")
    version = f"{moment}-{count}-{revision[:SHORT]}"
    if changed:
        version += f"-dirty-{tree[:SHORT]}"
    present = tuple(name for name in files if (folder / name).is_file() or (folder / name).is_symlink())
    return Source(folder, revision, version, tree, present, bool(changed), _origin(folder))


def export(source: Source, target: Path, extra: dict[str, str]) -> None:
    """Lay out a build context: the tracked files as they are now, and `extra` files by name.

    The folder is made anew, so that nothing of an earlier build is left in it.
    """
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name in source.files:
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source.folder / name, destination, follow_symlinks=False)
    for name, text in extra.items():
        (target / name).write_text(text)


def _commit(folder: Path) -> tuple[str, int, int]:
    found = _git(folder, "log", "-1", "--format=%H %ct")
    if found.returncode == 0 and found.stdout.strip():
        revision, seconds = found.stdout.split()
        count = _git(folder, "rev-list", "--count", "HEAD").stdout.strip()
        return revision, int(count), int(seconds)
    if "not a git repository" in found.stderr:
        raise SourceError(
            "the service is not in a git repository",
            where=str(folder),
            consequence="its version comes from its commit, so nothing was done",
            fix="git init && git add -A && git commit -m 'First version'",
        )
    if "dubious ownership" in found.stderr:
        raise SourceError(
            "git refuses this repository, as another user owns it",
            where=str(folder),
            consequence="nothing was done",
            fix=f"git config --global --add safe.directory {folder}",
        )
    raise SourceError(
        "the repository has no commit yet",
        where=str(folder),
        consequence="the version comes from the commit, so nothing was done",
        fix="git add -A && git commit -m 'First version'",
        detail=found.stderr.strip() or None,
    )


def _tree(folder: Path, changed: tuple[str, ...]) -> str:
    """Return git's hash of the folder's tree, mixed with the changed files when it is dirty."""
    prefix = _git(folder, "rev-parse", "--show-prefix").stdout.strip()
    committed = _git(folder, "rev-parse", f"HEAD:{prefix}").stdout.strip()
    if not changed:
        return committed
    digest = hashlib.sha256(committed.encode())
    for name in sorted(changed):
        path = folder / name
        digest.update(name.encode() + b"\0")
        digest.update(path.read_bytes() if path.is_file() else b"deleted")
    return digest.hexdigest()


def _origin(folder: Path) -> str:
    url = _git(folder, "config", "--get", "remote.origin.url").stdout.strip()
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _lines(folder: Path, *args: str) -> list[str]:
    return [line for line in _git(folder, *args).stdout.split("\0") if line]


def _git(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(folder), *args], capture_output=True, text=True, check=False, errors="replace"
    )
