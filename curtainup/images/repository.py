"""The git repository that a service is in: where it is, and which commit is checked out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curtainup.errors import SourceError
from curtainup.util.git import Git, parted


@dataclass(frozen=True)
class Repository:
    """A repository, seen from one folder of its working tree.

    Attributes:
        git: git in that folder.
        head: the commit that is checked out, in full.
        prefix: the folder below the repository's top, as `shop/`; empty for the top itself.
        objects: the folder of its objects, which linked working trees share.
        url: of the remote `origin`; may be empty.
        promisor: the remote that has the objects which a partial clone leaves out; empty for a whole clone.

    """

    git: Git
    head: str
    prefix: str
    objects: Path
    url: str
    promisor: str

    @property
    def folder(self) -> Path:
        """The folder that it is seen from."""
        return self.git.folder

    @property
    def top(self) -> Path:
        """The top of its working tree, without symbolic links."""
        folder = self.folder.resolve()
        below = PurePosixPath(self.prefix).parts
        return folder.parents[len(below) - 1] if below else folder

    @property
    def large_files(self) -> Path:
        """Where Git LFS keeps its objects."""
        return self.objects.parent / "lfs" / "objects"


def find(folder: Path) -> Repository:
    """Return the repository of a folder.

    Raises:
        SourceError: there is no repository, git refuses it, or it has no commit.

    """
    git = Git(folder)
    described = ("rev-parse", "HEAD^{commit}", "--git-path", "objects", "--show-prefix")
    found = git.run(*described)
    if "dubious ownership" in found.err:
        git = git.as_user()
        found = git.run(*described)
    if found.code:
        raise _refused(folder, found.err)
    head, objects, prefix = os.fsdecode(found.out).split("\n")[:3]
    settings = _settings(git)
    promisor = _promisor(settings)
    return Repository(
        git.as_user() if promisor else git,
        head,
        prefix,
        (folder / objects).absolute(),
        settings.get("remote.origin.url", ""),
        promisor,
    )


def contents(repository: Repository, ids: Sequence[str]) -> Mapping[str, bytes]:
    """Return the contents of objects by id, as git stores them.

    Raises:
        SourceError: git does not have one of them.

    """
    if not ids:
        return {}
    output = repository.git.ask("cat-file", "--batch", given="".join(f"{one}\n" for one in ids).encode()).out
    found: dict[str, bytes] = {}
    start = 0
    for one in ids:
        end = output.index(b"\n", start)
        described = output[start:end].decode().split()
        if len(described) != 3:
            raise SourceError(
                "the repository lacks an object of its commit",
                where=f"{one} in {repository.folder}",
                consequence="curtainup builds what git holds, so nothing was done",
                fix=f"git -C {repository.folder} fsck, and clone again if it finds errors",
            )
        size = int(described[2])
        found[one] = output[end + 1 : end + 1 + size]
        start = end + size + 2
    return found


def _settings(git: Git) -> dict[str, str]:
    pattern = r"^(remote\..*\.(url|promisor)|extensions\.partialclone)$"
    entries = parted(git.run("config", "--null", "--get-regexp", pattern).out)
    return dict(entry.split("\n", 1) for entry in entries if "\n" in entry)


def _promisor(settings: Mapping[str, str]) -> str:
    """Return the remote of a partial clone. Older versions of git wrote it as an extension."""
    promised = [name for name, value in settings.items() if name.endswith(".promisor") and value == "true"]
    named = [name.removeprefix("remote.").removesuffix(".promisor") for name in promised]
    return next(iter(named), settings.get("extensions.partialclone", ""))


def _refused(folder: Path, said: str) -> SourceError:
    if "not a git repository" in said:
        return SourceError(
            "the service is not in a git repository",
            where=str(folder),
            consequence="its version comes from its commit, so nothing was done",
            fix="git init && git add -A && git commit -m 'First version'",
        )
    if "dubious ownership" in said:
        return SourceError(
            "git refuses this repository, because another user owns it",
            where=str(folder),
            consequence="nothing was done",
            fix=f"git config --global --add safe.directory {folder}",
        )
    return SourceError(
        "the repository has no commit yet",
        where=str(folder),
        consequence="the version comes from the commit, so nothing was done",
        fix="git add -A && git commit -m 'First version'",
        detail=said or None,
    )
