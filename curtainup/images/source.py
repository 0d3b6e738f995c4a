"""The service's source: its commit, the files that git tracks, and its version.

git also tracks an ejected program, but the program is not part of the image: editing it makes no other image.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from curtainup.engine import ejected
from curtainup.errors import SourceError

SHORT = 6


@dataclass(frozen=True)
class Source:
    """The source to deploy.

    Attributes:
        folder: the service's folder.
        revision: the commit, in full.
        version: date, commit count and short hash, as `200415-0819-953-b3548e`; a dirty tree adds
            `-dirty-` and a hash of it.
        tree: hash of the tracked files as they are now, without the service's own program.
        files: the tracked files that exist, without that program, relative to the folder.
        dirty: whether tracked files, that program's among them, differ from the commit.
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
            consequence="curtainup takes the version and the files to build from git, so nothing was done",
            fix="apt-get install git",
        )
    revision, count, seconds = _commit(folder)
    program = f"{ejected.FOLDER}/" if ejected.find(folder) else None
    files = _without(program, _names(folder, "ls-files", "--recurse-submodules", "-z"))
    if not files:
        raise SourceError(
            "git tracks no file here",
            where=str(folder),
            consequence="only tracked files are built, so nothing was done",
            fix="git add the service's files and commit them",
        )
    changed = _changed(folder)
    if changed and not allow_dirty:
        raise SourceError(
            f"{_count(changed)} from the last commit",
            where=", ".join(changed[:5]) + (" …" if len(changed) > 5 else ""),
            consequence="a version must identify its content, so nothing was done",
            fix="commit them, or deploy the tree as it is with --dirty",
        )
    built = _without(program, changed)
    tree = _tree(folder, built, program)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d-%H%M")
    version = f"{moment}-{count}-{revision[:SHORT]}"
    if built:
        version += f"-dirty-{tree[:SHORT]}"
    present = tuple(name for name in files if (folder / name).is_file() or (folder / name).is_symlink())
    return Source(folder, revision, version, tree, present, bool(changed), _origin(folder))


def export(source: Source, target: Path, extra: dict[str, str]) -> None:
    """Lay out a build context: the tracked files as they are now, and `extra` files by name.

    It creates the folder again, so that nothing of an earlier build remains in it.
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
            "git refuses this repository, because another user owns it",
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


def _changed(folder: Path) -> tuple[str, ...]:
    options = ("--name-only", "--relative", "--ignore-submodules=untracked", "-z")
    return _names(folder, "diff", *options, "HEAD", "--", ".")


def _count(changed: tuple[str, ...]) -> str:
    return "1 tracked file differs" if len(changed) == 1 else f"{len(changed)} tracked files differ"


def _without(program: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if program is None or not name.startswith(program))


def _tree(folder: Path, changed: tuple[str, ...], program: str | None = None) -> str:
    """Return git's hash of the folder's tree, mixed with the changed files when it is dirty."""
    committed = _committed(folder, program)
    if not changed:
        return committed
    digest = hashlib.sha256(os.fsencode(committed))
    for name in sorted(changed):
        digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(_content(folder / name)).digest())
    return digest.hexdigest()


def _committed(folder: Path, program: str | None) -> str:
    """Return git's hash of the folder's tree without the program.

    It writes nothing. The format of a tree is in https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
    """
    prefix = _git(folder, "rev-parse", "--show-prefix").stdout.strip()
    tree = f"HEAD:{prefix}"
    if program is None:
        return _git(folder, "rev-parse", tree).stdout.strip()
    content = b""
    for entry in _names(folder, "ls-tree", "--full-tree", "-z", tree):
        described, _, name = entry.partition("\t")
        mode, _, digest = described.split()
        if f"{name}/" != program:
            content += f"{mode.lstrip('0')} ".encode() + os.fsencode(name) + b"\0" + bytes.fromhex(digest)
    return _git(folder, "hash-object", "-t", "tree", "--stdin", given=content).stdout.strip()


def _content(path: Path) -> bytes:
    """Return the bytes that identify a changed file: link target, mode and text, or a submodule's tree."""
    if path.is_symlink():
        return b"link to " + os.fsencode(path.readlink())
    if path.is_dir():
        return _tree(path, _changed(path)).encode()
    if not path.is_file():
        return b"deleted"
    return f"mode {path.stat().st_mode & 0o111:o}\n".encode() + path.read_bytes()


def _origin(folder: Path) -> str:
    url = _git(folder, "config", "--get", "remote.origin.url").stdout.strip()
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _names(folder: Path, *args: str) -> tuple[str, ...]:
    return tuple(name for name in _git(folder, *args).stdout.split("\0") if name)


def _git(folder: Path, *args: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run git in English, and decode its output as Python decodes file names, without loss."""
    command = ["git", "-C", str(folder), *args]
    done = subprocess.run(
        command, input=given, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    return subprocess.CompletedProcess(
        command, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)
    )
