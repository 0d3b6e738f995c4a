"""The version for packaging tools that would read it from git's tags: a build has no `.git`.

Sources: the documentation of setuptools-scm ("Overrides"), which hatch-vcs takes over, of
poetry-dynamic-versioning ("Environment variables"), and of pdm-backend ("Dynamic version from SCM").
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

SETUPTOOLS: Final = "SETUPTOOLS_SCM_PRETEND_VERSION"
POETRY: Final = "POETRY_DYNAMIC_VERSIONING_BYPASS"
PDM: Final = "PDM_BUILD_SCM_VERSION"
VARIABLES: Final = (SETUPTOOLS, POETRY, PDM)
_TOOLS: Final[Mapping[str, str]] = {
    "setuptools-scm": SETUPTOOLS,
    "hatch-vcs": SETUPTOOLS,
    "poetry-dynamic-versioning": POETRY,
}
_PDM: Final = "pdm-backend"
_VERSION: Final = re.compile(
    r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)-(?P<time>\d{4})-(?P<count>\d+)-(?P<commit>[0-9a-f]+)"
    r"(?:-dirty-(?P<dirty>[0-9a-f]+))?"
)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ARGUMENT: Final = re.compile(r"^[ \t]*ARG[ \t]+(\w+)[ \t]*(?:=|$)", re.MULTILINE | re.IGNORECASE)


def of(version: str) -> str:
    """Return a version as Python's packages have them (PEP 440).

    That of `200415-0819-953-b3548e` is `2020.4.15.819+953.gb3548e`.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return "0"
    date = (f"20{found['year']}", found["month"], found["day"], found["time"])
    dirty = (f"dirty{found['dirty']}",) if found["dirty"] else ()
    own = (found["count"], f"g{found['commit']}", *dirty)  # a part that begins with a letter is no number
    return f"{'.'.join(str(int(part)) for part in date)}+{'.'.join(own)}"


def wanted(project: str) -> tuple[str, ...]:
    """Return the variables that the tools of a project read.

    Args:
        project: the text of its `pyproject.toml`.

    """
    try:
        document = tomllib.loads(project)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    return tuple(dict.fromkeys(_wanted(document)))


def declared(dockerfile: str) -> tuple[str, ...]:
    """Return the variables that a Dockerfile declares as arguments."""
    named = set(_ARGUMENT.findall(dockerfile))
    return tuple(name for name in VARIABLES if name in named)


def _wanted(document: Mapping[str, Any]) -> Iterator[str]:
    required = document.get("build-system")
    listed = required.get("requires") if isinstance(required, dict) else None
    for requirement in listed if isinstance(listed, list) else ():
        found = _NAME.match(requirement) if isinstance(requirement, str) else None
        name = re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
        if name in _TOOLS:
            yield _TOOLS[name]
        elif name == _PDM and _at(document, "tool", "pdm", "version", "source") == "scm":
            yield PDM


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
