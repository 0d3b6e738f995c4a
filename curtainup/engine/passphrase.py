"""The passphrase that opens a state's secrets: the one that the user gives, or one that curtainup makes."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Mapping
from pathlib import Path

from curtainup.errors import DiskFull, StateError
from curtainup.util.files import create_durably, read_bounded

NOTHING = "curtainup could not read or write secrets, so nothing was done"
SHORTEST = 32
"""Characters of a passphrase that curtainup has made; fewer are the rest of a file that was cut off."""
MOST = 64 << 10
"""Bytes of a file with a passphrase."""


def given(environ: Mapping[str, str]) -> bytes | None:
    """Return the passphrase that the user gives, which may be empty; None if there is none.

    Raises:
        StateError: its file cannot be read.

    """
    if "PULUMI_CONFIG_PASSPHRASE" in environ:
        return environ["PULUMI_CONFIG_PASSPHRASE"].encode("utf-8", "surrogateescape")
    file = environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    try:
        return read_bounded(Path(file).expanduser(), MOST).strip() if file else None
    except (OSError, RuntimeError) as error:
        raise StateError(
            "the passphrase file of the Pulumi backend cannot be read",
            where=f"PULUMI_CONFIG_PASSPHRASE_FILE={file}",
            consequence=NOTHING,
            fix="set the variable to the file that the stacks were created with",
            detail=str(error),
        ) from error


def generated(file: Path) -> bytes:
    """Return the passphrase in a file of curtainup's own; make one if there is no such file.

    Raises:
        StateError: the file cannot be read, or does not hold a whole passphrase.
        DiskFull: there is no space for it.

    """
    try:
        if not file.exists():
            create_durably(file, secrets.token_urlsafe(SHORTEST) + "\n")
        found = read_bounded(file, MOST).strip()
    except OSError as error:
        raise _unusable(file, error) from error
    if len(found) < SHORTEST:
        raise StateError(
            f"the passphrase that curtainup generated is {'cut off' if found else 'empty'}",
            where=str(file),
            consequence="everybody could read what it seals, so nothing was done",
            fix=f"put the file back from a backup; if nothing was ever deployed with it: rm {file}",
        )
    return found


def empty(environ: Mapping[str, str]) -> StateError:
    """Return the error for a passphrase that is given, but empty."""
    file = environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    inline = "PULUMI_CONFIG_PASSPHRASE" in environ
    return StateError(
        "the passphrase of the Pulumi backend is empty",
        where="PULUMI_CONFIG_PASSPHRASE" if inline else f"PULUMI_CONFIG_PASSPHRASE_FILE={file}",
        consequence="everybody could read what it seals, so nothing was done",
        fix="set PULUMI_CONFIG_PASSPHRASE_FILE to the file that the stacks were created with; give stacks "
        "that were sealed with the empty one another: pulumi stack change-secrets-provider passphrase",
    )


def _unusable(file: Path, error: OSError) -> StateError | DiskFull:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            "no space is left for the passphrase of the state",
            where=str(file.parent),
            consequence="nothing was done",
            fix="free some space: `df -h` shows which disk is full",
        )
    return StateError(
        "the passphrase that curtainup generated cannot be read or written",
        where=str(file),
        consequence=NOTHING,
        fix="make it a file that you can read, with mode 0600",
        detail=str(error),
    )
