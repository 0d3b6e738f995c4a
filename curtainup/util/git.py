"""Calls git so that neither a calling hook nor the user's configuration changes what it does or says.

A hook of git sets variables that point at the hook's own repository; `git rev-parse --local-env-vars` lists
them. A user can configure what git shows, runs and leaves out. Here git finds the repository by the folder,
and reads the configuration of that repository alone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from curtainup.errors import DiskFull, SourceError

HARMLESS = ("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
"""Variables that say where git and its repositories are on this machine, and nothing of any repository."""
USERS = (
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_PROXY_",
    "GIT_HTTP_",
)
"""The beginnings of variables that name the user's configuration, or how git reaches a remote."""
ALWAYS = {
    "LC_ALL": "C",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # `git replace` shows other objects than the commit has, in one clone
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
CLEAN = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
OPTIONS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
NO_ATTRIBUTES = ("-c", f"core.attributesFile={os.devnull}")

FULL = ("No space left on device", "Disk quota exceeded")


@dataclass(frozen=True)
class Done:
    """A command of git that has ended: its exit code, standard output, and standard error."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output, decoded as Python decodes file names, without the white space around it."""
        return os.fsdecode(self.out).strip()


@dataclass(frozen=True)
class Git:
    """git, in one folder.

    Attributes:
        folder: where it runs.
        users: whether it also reads the user's own configuration. Only that says which folders of others the
            user trusts, how the user's working tree was converted, and how to log in to a remote.
        more: further variables.

    """

    folder: Path
    users: bool = False
    more: tuple[tuple[str, str], ...] = ()

    def as_user(self) -> Git:
        """Return git that reads the user's configuration too."""
        return replace(self, users=True)

    def run(self, *arguments: str, given: bytes = b"") -> Done:
        """Run a command to its end.

        Raises:
            OSError: git cannot be started.

        """
        options = OPTIONS if self.users else (*OPTIONS, *NO_ATTRIBUTES)
        done = subprocess.run(
            ["git", "-C", str(self.folder), *options, *arguments],
            input=given,
            capture_output=True,
            check=False,
            env={**variables(os.environ, users=self.users), **dict(self.more)},
        )
        return Done(done.returncode, done.stdout, os.fsdecode(done.stderr).strip())

    def ask(self, *arguments: str, given: bytes = b"") -> Done:
        """Run a command that must succeed.

        Raises:
            SourceError: git failed.
            DiskFull: the disk is full.

        """
        done = self.run(*arguments, given=given)
        if any(text in done.err for text in FULL):
            raise DiskFull(
                "the disk is full",
                where=str(self.folder),
                consequence="git could not write, so nothing was built",
                fix="make space, and run the same command again",
                detail=done.err,
            )
        if done.code:
            raise SourceError(
                f"git {arguments[0]} failed with exit code {done.code}",
                where=str(self.folder),
                consequence="curtainup takes what it builds from git, so nothing was done",
                fix=f"git -C {self.folder} fsck",
                detail=done.err or None,
            )
        return done

    def names(self, *arguments: str, given: bytes = b"") -> tuple[str, ...]:
        """Run a command that must succeed, and return its output, which it ends with NUL, in parts.

        Raises:
            SourceError: git failed.

        """
        return parted(self.ask(*arguments, given=given).out)


def variables(environ: Mapping[str, str], *, users: bool = False) -> dict[str, str]:
    """Return the variables that git runs with.

    Args:
        environ: those of this process.
        users: whether git also reads the user's configuration.

    """
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name in HARMLESS}
    if not users:
        return {**kept, **ALWAYS, **CLEAN}
    own = {name: value for name, value in environ.items() if name.startswith(USERS)}
    return {**kept, **own, **ALWAYS}


def parted(output: bytes) -> tuple[str, ...]:
    """Return the texts that end with NUL in an output of git."""
    return tuple(part for part in os.fsdecode(output).split("\0") if part)


def joined(names: Iterable[str]) -> bytes:
    """Return names as git reads them with `-z`."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)
