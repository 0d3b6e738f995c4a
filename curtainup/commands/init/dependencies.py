"""What a service depends on, by requirements*.txt, pyproject.toml (PEP 621 and Poetry) and setup.cfg."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from curtainup.commands.init.models import Dependencies, Install
from curtainup.errors import SourceError
from curtainup.util.files import read_bounded

NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
"""A requirement begins with the package's name (https://peps.python.org/pep-0508/)."""


def read(folder: Path) -> Dependencies:
    """Return what the files in a service's folder say that it needs.

    Raises:
        SourceError: one of them cannot be read for what it is.

    """
    requirements = sorted([*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt")])
    project, setup = _pyproject(folder / "pyproject.toml"), _setup(folder / "setup.cfg")
    names: dict[str, str] = {}
    for file in requirements:
        _note(names, file.relative_to(folder).as_posix(), _text(file).splitlines())
    _note(names, "pyproject.toml", [*_listed(project), *_poetry(project)])
    _note(names, "setup.cfg", setup.get("options", "install_requires", fallback="").splitlines())
    install, file_name = _way(folder, project, [file.relative_to(folder).as_posix() for file in requirements])
    return Dependencies(names, _name(project, setup), install, file_name, _discovered(folder, project))


def normalized(name: str) -> str:
    """Return a package's name as indexes compare it (https://peps.python.org/pep-0503/)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _note(names: dict[str, str], file: str, requirements: Iterable[str]) -> None:
    for requirement in requirements:
        if match := NAME.match(requirement):
            names.setdefault(normalized(match[1]), file)


def _way(folder: Path, project: dict[str, Any], requirements: list[str]) -> tuple[Install, str | None]:
    """Return how the packages get into an image, by what the service has."""
    if requirements:
        first = "requirements.txt" if "requirements.txt" in requirements else requirements[0]
        return "requirements", first
    poetry = _table(project, "tool", "poetry")
    installable = "build-system" in project and poetry.get("package-mode", True)
    if installable or (folder / "setup.py").is_file():
        return "project", None
    if poetry.get("dependencies") and not _table(project, "project").get("dependencies"):
        return "poetry", None
    if _table(project, "project"):
        return "dependencies", None
    return ("project" if (folder / "setup.cfg").is_file() else "nothing"), None


def _discovered(folder: Path, project: dict[str, Any]) -> bool:
    """Follow setuptools: it looks for packages where nothing names them and there is no `src/`.

    https://setuptools.pypa.io/en/latest/userguide/package_discovery.html
    """
    system, settings = _table(project, "build-system"), _table(project, "tool", "setuptools")
    ours = "setuptools" in str(system.get("build-backend", system.get("requires", "")))
    named = settings.keys() & {"packages", "py-modules"} or (folder / "src").is_dir()
    return ours and not named and "project" in project


def _listed(project: dict[str, Any]) -> Iterator[str]:
    found = _table(project, "project").get("dependencies")
    yield from map(str, found if isinstance(found, list) else ())


def _poetry(project: dict[str, Any]) -> Iterator[str]:
    yield from _table(project, "tool", "poetry", "dependencies")


def _name(project: dict[str, Any], setup: configparser.RawConfigParser) -> str | None:
    said = _table(project, "project").get("name") or _table(project, "tool", "poetry").get("name")
    return str(said) if said else setup.get("metadata", "name", fallback=None)


def _table(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _pyproject(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(_text(file))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error


def _setup(file: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    if file.is_file():
        try:
            parser.read_string(_text(file))
        except (configparser.Error, ValueError, RecursionError) as error:
            raise _unreadable(file, error) from error
    return parser


def _text(file: Path) -> str:
    return read_bounded(file).decode("utf-8-sig", errors="replace")


def _unreadable(file: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{file.name} cannot be read",
        where=str(file),
        consequence="curtainup cannot tell what the service depends on, so nothing was written",
        fix="correct the file",
        detail=str(error),
    )
