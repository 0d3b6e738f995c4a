"""The program that a service owns: `curtainup init --eject` has written it into the service's `infra/`.

The stamp in that folder makes it the program, for every command and by hand. It says what was ejected;
without it `infra/` may be anything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from curtainup.errors import SetupError

FOLDER = "infra"
STAMP = "ejected.yaml"
HEADER = "# Makes this folder the program that `curtainup` runs; README.md says more.\n"
KEY = "program"
"""Of stack settings and outputs: the edition by which a stack was last updated."""
_UNREAD = (".md", ".pyc")
"""Files that the program does not read, by their ending."""


@dataclass(frozen=True)
class Stamp:
    """What was ejected.

    Attributes:
        curtainup: the version that it came from.
        contract: what that version's driver and program agreed on; see `contract`.
        program: the digest of its files as they were.

    """

    curtainup: str
    contract: str
    program: str


def find(service_dir: Path) -> Path | None:
    """Return the folder of the program that a service owns, or None."""
    folder = service_dir / FOLDER
    return folder if (folder / STAMP).is_file() else None


def edition(folder: Path) -> str:
    """Return what tells an ejected program from what was ejected; empty while nobody has changed it.

    Raises:
        SetupError: its stamp cannot be read.

    """
    now = digest({path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)})
    return "" if now == read(folder).program else now


def digest(files: Mapping[str, bytes]) -> str:
    """Return a digest of what the program reads, by path in its folder; the stamp is left out."""
    known = {name: text for name, text in files.items() if name != STAMP and _is_read(name)}
    found = hashlib.sha256()
    for name, text in sorted(known.items()):
        found.update(os.fsencode(name) + b"\0" + hashlib.sha256(text).digest())
    return found.hexdigest()[:12]


def contract() -> str:
    """Return a digest of what the driver writes for the program: each model's fields, by name.

    A program that was ejected with other ones may not heed what a newer driver tells it.
    """
    from pydantic import BaseModel

    from curtainup.model import contract as settings
    from curtainup.model import release, release_settings

    names = [
        f"{name}.{field}"
        for module in (settings, release, release_settings)
        for name, model in vars(module).items()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
        for field in model.model_fields
    ]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:8]


def require_current(folder: Path) -> None:
    """Check that a program, if it is an ejected one, agrees with this driver on what it is told.

    Raises:
        SetupError: it was ejected from a curtainup that agreed on something else.

    """
    if not (folder / STAMP).is_file():
        return
    stamp, today = read(folder), contract()
    if stamp.contract == today:
        return
    raise SetupError(
        f"the program in {FOLDER}/ is from curtainup {stamp.curtainup}, which told it something else",
        where=f"contract in {folder / STAMP}",
        consequence="it may not do what it is told now, so nothing was done",
        fix="curtainup init --eject --dry-run shows what differs; take over what you need of it, then write "
        f"contract: {today} there. Until then: pip install curtainup=={stamp.curtainup}",
    )


def named(edition: str, remembered: Mapping[str, Any]) -> dict[str, str]:
    """Return the stack settings that name an edition: none where there never was any but the built-in one.

    Args:
        edition: of the program that the next update runs.
        remembered: the stack's settings of its last update, by full key.

    """
    return {KEY: edition} if edition or remembered.get(f"curtainup:{KEY}") else {}


def is_applied(edition: str, outputs: Mapping[str, Any]) -> bool:
    """Return whether the last update of a stack that ended well, by its outputs, was by that edition."""
    return str(outputs.get(KEY) or "") == edition


def read(folder: Path) -> Stamp:
    """Return the stamp of an ejected program.

    Raises:
        SetupError: it cannot be read.

    """
    file = folder / STAMP
    try:
        # Of digits alone a digest would else be a number.
        return Stamp(**yaml.load(file.read_bytes(), Loader=yaml.BaseLoader))  # noqa: S506 - makes texts only
    except (OSError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise SetupError(
            "what was ejected cannot be read",
            where=str(file),
            consequence="it is not known whether the program suits this curtainup, so nothing was done",
            fix="bring it back from git, or write it anew: curtainup init --eject",
            detail=str(error),
        ) from error


def written(stamp: Stamp) -> str:
    """Return a stamp as its file holds it."""
    return HEADER + yaml.safe_dump(asdict(stamp), sort_keys=False)


def _files(folder: Path) -> Iterator[Path]:
    """Give the program's files, without hidden ones, compiled ones and virtual environments."""
    for path, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not (one.startswith(".") or _is_environment(Path(path, one)))]
        yield from (Path(path, one) for one in names if _is_read(one) and one != STAMP)


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()


def _is_read(name: str) -> bool:
    last = name.rpartition("/")[2]
    return not last.startswith(".") and not last.endswith(_UNREAD)
