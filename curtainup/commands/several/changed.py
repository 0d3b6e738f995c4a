"""Which services have changed since a commit: those whose settings, or a file that is built, differ.

What counts is the files alone, and not what is deployed. A deployment decides by itself whether it has
something to do, so one service too many costs a second, and one too few would stay as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from curtainup.commands.several.members import Member
from curtainup.errors import SourceError
from curtainup.images import repository, source
from curtainup.util.git import Git

MOST_AT_ONCE = 8


@dataclass(frozen=True)
class Difference:
    """What differs from a commit, by paths below the top of the repository; what was removed is in both."""

    top: Path
    paths: frozenset[str]
    removed: frozenset[str]


def since(members: Sequence[Member], reference: str, *, dirty: bool) -> list[Member]:
    """Return those of the services that have changed since a commit, in their order.

    Args:
        members: the services.
        reference: names the commit: a branch, a tag or a hash.
        dirty: whether uncommitted changes count.

    Raises:
        SourceError: there is no such commit here, or a service's source cannot be deployed.

    """
    gits = {one.name: _at_the_top(one.folder) for one in members}
    tops = {name: git.folder for name, git in gits.items()}
    differences = {git.folder: difference(git, reference, dirty=dirty) for git in set(gits.values())}
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        asked = [pool.submit(partial(_is_changed, one, differences[tops[one.name]])) for one in members]
        return [one for one, answer in zip(members, asked, strict=True) if answer.result()]


def difference(git: Git, reference: str, *, dirty: bool) -> Difference:
    """Return what differs from a commit; git runs at the top of the repository.

    Raises:
        SourceError: there is no such commit here.

    """
    commit = _commit(git, reference)
    versus = () if dirty else ("HEAD",)
    told = git.names("diff", "--name-status", "--no-renames", "--no-ext-diff", "-z", commit, *versus, "--")
    kinds = dict(zip(told[1::2], told[::2], strict=True))
    return Difference(
        git.folder, frozenset(kinds), frozenset(one for one, kind in kinds.items() if kind == "D")
    )


def _is_changed(member: Member, found: Difference) -> bool:
    read = source.read(member.folder, allow_dirty=True, build=member.build)
    context = read.layer.repository.folder if read.layer else read.folder
    inside = _below(context, found.top)
    inputs = {str(inside / one) for one in read.files} | {str(_below(member.settings, found.top))}
    above = {str(folder) for one in inputs for folder in PurePosixPath(one).parents}
    return any(
        path in inputs or path in above or (path in found.removed and _is_in(path, inside))
        for path in found.paths
    )


def _is_in(path: str, folder: PurePosixPath) -> bool:
    """Return whether a path was in a folder: whether the build took a file that is gone cannot be asked."""
    return PurePosixPath(path).is_relative_to(folder)


def _below(path: Path, top: Path) -> PurePosixPath:
    return PurePosixPath(path.resolve().relative_to(top))


def _at_the_top(folder: Path) -> Git:
    found = repository.find(folder)
    return replace(found.git, folder=found.top)


def _commit(git: Git, reference: str) -> str:
    asked = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if asked.code == 0:
        return asked.text
    shallow = git.run("rev-parse", "--is-shallow-repository").text == "true"
    more = ", of which this clone has only the newest commits" if shallow else ""
    raise SourceError(
        f"{reference} is no commit here{more}",
        where=f"--changed-since, in {git.folder}",
        consequence="nobody knows what has changed, so nothing was done",
        fix="git fetch --unshallow" if shallow else f"git fetch origin {reference}, or name another commit",
    )
