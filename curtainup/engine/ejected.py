"""The program that a service owns: `curtainup init --eject` has written it into the service's `infra/`.

The stamp in that folder marks it as the program, for every command and for Pulumi by hand. It says which
program was ejected. Without the stamp, `infra/` may be anything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import yaml

from curtainup.errors import SetupError
from curtainup.util.files import read_bounded

FOLDER = "infra"
STAMP = "ejected.yaml"
HEADER = "# Makes this folder the program that `curtainup` runs; README.md says more.\n"
KEY = "program"
"""The key, in stack settings and outputs, of the edition that last updated the stack."""
_UNREAD = (".md", ".pyc")
"""The endings of files that the program does not read."""


@dataclass(frozen=True)
class Stamp:
    """The stamp of an ejected program.

    Attributes:
        curtainup: the version of curtainup that ejected the program.
        contract: the digest of that version's contract; see `contract`.
        program: the digest of the program's files when they were ejected.

    """

    curtainup: str
    contract: str
    program: str


def find(service_dir: Path) -> Path | None:
    """Return the folder of the program that a service owns, or None."""
    folder = service_dir / FOLDER
    return folder if (folder / STAMP).is_file() else None


def edition(folder: Path) -> str:
    """Return the digest of an ejected program that somebody has edited; empty while it is unedited.

    Raises:
        SetupError: the stamp cannot be read.

    """
    now = digest({path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)})
    return "" if now == read(folder).program else now


def digest(files: Mapping[str, bytes]) -> str:
    """Return a digest of the files that the program reads, without the stamp.

    Args:
        files: the content of each file, by its path in the program's folder.

    """
    known = {name: text for name, text in files.items() if name != STAMP and _is_read(name)}
    found = hashlib.sha256()
    for name, text in sorted(known.items()):
        found.update(os.fsencode(name) + b"\0" + hashlib.sha256(text).digest())
    return found.hexdigest()[:12]


def contract() -> str:
    """Return a digest of the contract: the names of all fields that the driver writes for the program.

    A program that was ejected with another contract may ignore a field of a newer driver.
    """
    from pydantic import BaseModel

    from curtainup.model import accessories, door, maintenance, process, release, release_settings, targets
    from curtainup.model import contract as settings

    own = [import_module(f"{targets.__name__}.{one.name}") for one in iter_modules(targets.__path__)]
    names = [
        f"{name}.{field}"
        for module in (settings, accessories, door, maintenance, process, release, release_settings, *own)
        for name, model in vars(module).items()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
        for field in model.model_fields
    ]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:8]


def require_current(folder: Path) -> None:
    """Check that an ejected program has the contract of this driver; any other program passes.

    Raises:
        SetupError: the program has another contract.

    """
    if not (folder / STAMP).is_file():
        return
    stamp, today = read(folder), contract()
    if stamp.contract == today:
        return
    raise SetupError(
        f"the program in {FOLDER}/ is from curtainup {stamp.curtainup}, which has another contract",
        where=f"contract in {folder / STAMP}",
        consequence="the program may ignore settings of this curtainup, so nothing was done",
        fix="curtainup init --eject --dry-run shows what differs; copy what you need, then write "
        f"contract: {today} there. Until then: pip install curtainup=={stamp.curtainup}",
    )


def named(edition: str, remembered: Mapping[str, Any]) -> dict[str, str]:
    """Return the stack settings that name an edition; empty for a stack that never had an edition.

    Args:
        edition: the edition of the program that the next update runs.
        remembered: the stack's settings of its last update, by full key.

    """
    return {KEY: edition} if edition or remembered.get(f"curtainup:{KEY}") else {}


def is_applied(edition: str, outputs: Mapping[str, Any]) -> bool:
    """Return whether a stack's outputs say that this edition made its last successful update."""
    return str(outputs.get(KEY) or "") == edition


def read(folder: Path) -> Stamp:
    """Return the stamp of an ejected program.

    Raises:
        SetupError: the stamp cannot be read.

    """
    file = folder / STAMP
    try:
        # Otherwise a digest of digits alone would become a number.
        return Stamp(**yaml.load(read_bounded(file), Loader=yaml.BaseLoader))  # noqa: S506 - makes texts only
    except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SetupError(
            "the stamp of the ejected program cannot be read",
            where=str(file),
            consequence="curtainup does not know whether it can run this program, so nothing was done",
            fix="restore the file from git, or write it again: curtainup init --eject",
            detail=str(error),
        ) from error


def written(stamp: Stamp) -> str:
    """Return the text of a stamp's file."""
    return HEADER + yaml.safe_dump(asdict(stamp), sort_keys=False)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the program's files, without hidden files, compiled files and virtual environments."""
    for path, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not (one.startswith(".") or _is_environment(Path(path, one)))]
        yield from (Path(path, one) for one in names if _is_read(one) and one != STAMP)


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()


def _is_read(name: str) -> bool:
    last = name.rpartition("/")[2]
    return not last.startswith(".") and not last.endswith(_UNREAD)
