"""The services that a command is for: from folders to names, and what each needs of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curtainup import config as configuration
from curtainup.config.build import Build
from curtainup.config.reading.problems import NOTHING_HAPPENED
from curtainup.errors import ConfigError


@dataclass(frozen=True)
class Member:
    """A service among several.

    Attributes:
        folder: its folder, as it was given.
        name: its name.
        settings: its configuration's file.
        depends_on: the names of the services that it needs.
        build: how it is built, if its configuration says so.

    """

    folder: Path
    name: str
    settings: Path
    depends_on: tuple[str, ...] = ()
    build: Build | None = None


def read(folders: Sequence[Path], overlay: str | None, tell: Callable[[str], None]) -> list[Member]:
    """Return the services in folders, in their order, each once.

    The shell writes out `services/*`, so nobody can tell what you have named from what it has found. What
    exists and is no service is left out, and told.

    Args:
        folders: as given on the command line.
        overlay: reads `pym-config.OVERLAY.yaml` of each instead.
        tell: receives a line for each folder that is no service.

    Raises:
        ConfigError: a folder does not exist, no folder is a service, two services have one name, or the
            configuration of one is wrong.

    """
    found: dict[Path, Member] = {}
    for folder in folders:
        member = _member(folder, overlay)
        if member is None:
            tell(f"{folder} is no service: it has no {configuration.config_file(Path(), overlay)}")
        else:
            found.setdefault(folder.resolve(), member)
    members = list(found.values())
    if not members:
        raise ConfigError(
            "none of these is the folder of a service",
            where=", ".join(map(str, folders[:5])) + (" …" if len(folders) > 5 else ""),
            consequence=NOTHING_HAPPENED,
            fix="give folders that hold a pym-config.yaml, such as services/*",
        )
    _require_names(members)
    return members


def _member(folder: Path, overlay: str | None) -> Member | None:
    settings = configuration.config_file(folder, overlay)
    if folder.exists() and not settings.exists():
        return None
    config = configuration.load(folder, overlay, warn=_say_nothing)
    return Member(folder, config.name, settings, config.depends_on, config.build)


def _say_nothing(_text: str) -> None:
    """Leave it to the deployment of the service, which warns too."""


def _require_names(members: Sequence[Member]) -> None:
    first: dict[str, Member] = {}
    for one in members:
        other = first.setdefault(one.name, one)
        if other is not one:
            raise ConfigError(
                f"two services are called {one.name}",
                where=f"{other.settings}, {one.settings}",
                consequence=f"they would take each other's place. {NOTHING_HAPPENED}",
                fix="give each a `name:` of its own",
            )
