"""The git repository around a service: its top folder, the branch merges go to, and whose it is."""

from __future__ import annotations

from pathlib import Path

from curtainup.commands.init.models import Ci, Repository
from curtainup.util.git import Git

USUAL = ("main", "master")


def look(folder: Path) -> Repository:
    """Return what git says of a folder; without git or a repository, the folder stands for one."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    root = Path(top) if top else folder
    url = _git(folder, "config", "--get", "remote.origin.url")
    inside = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else "."
    return Repository(root, inside, _branch(folder), _ci(url))


def _branch(folder: Path) -> str:
    """Return the remote's default branch, else a usual one that exists, else the one checked out."""
    remote = _git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if remote:
        return remote.removeprefix("origin/")
    for name in USUAL:
        if _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}"):
            return name
    return _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or USUAL[0]


def _ci(url: str) -> Ci:
    """Return the CI of the host in a remote's URL, `https://HOST/…` or `git@HOST:…`."""
    scheme, separator, rest = url.partition("://")
    host = rest.partition("/")[0] if separator else scheme.rpartition(":")[0]
    kinds = (Ci.GITHUB, Ci.GITLAB, Ci.BITBUCKET)
    return next((kind for kind in kinds if kind.value in host.lower()), Ci.NONE)


def _git(folder: Path, *arguments: str) -> str:
    """Return what git says, or nothing where it says no or is not there."""
    try:
        done = Git(folder, users=True).run(*arguments)
    except OSError:
        return ""
    return "" if done.code else done.text
