"""Turns what pydantic found into problems that say what, why it matters, and what to write."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from curtainup.config import targets
from curtainup.config.accessories import Accessory
from curtainup.config.build import Build, BuildKeys
from curtainup.config.canary_metrics import CanaryMetric
from curtainup.config.guard_rails import Freeze
from curtainup.config.keys import doc_of, written
from curtainup.config.models import STANDARD_ENVIRONMENTS, EnvironmentSettings, ServiceConfig
from curtainup.config.notify import Destination
from curtainup.config.processes import ProcessSettings
from curtainup.config.reading.problems import KeyPath, Problem, spelled
from curtainup.config.reading.source import Document
from curtainup.config.schedules import ScheduleSettings
from curtainup.config.service import IdentitySettings, ServiceReads
from curtainup.config.tasks import Task

_KEY_MARK: Final = "[key]"
_ENTRIES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "tasks": (Task, "nothing would run"),
    "canary_metrics": (CanaryMetric, "the canary would not be judged"),
    "notify": (Destination, "nobody would be notified"),
    "freeze": (Freeze, "nobody would know when live is frozen"),
    "processes": (ProcessSettings, "nothing would run"),
    "schedule": (ScheduleSettings, "nothing would run"),
    "accessories": (Accessory, "there would be nothing to run"),
}
"""Keys that hold several mappings: what an entry is, and what follows where one lacks its main key."""
_BY_NAME: Final[Mapping[str, str]] = {
    "processes": "a process",
    "schedule": "a schedule",
    "accessories": "an accessory",
}
"""Those of them whose entries have names, and what an entry is called; the others are lists."""
_MAPPINGS: Final[Mapping[str, type[BaseModel]]] = {"build": Build}
"""Keys that hold one mapping."""


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """One problem per wrong place, with its line."""
    found: dict[KeyPath, Problem] = {}
    for detail in error.errors(include_url=False, include_context=False):
        problem = _problem(detail, document)
        found.setdefault(problem.path, problem)
    return list(found.values())


def _problem(detail: ErrorDetails, document: Document) -> Problem:
    path: KeyPath = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return _unknown(path, document)
    if path[-1] == _KEY_MARK:
        return _bad_name(path[:-1], document)
    if detail["type"] == "missing":
        return _missing(path)
    return _wrong(path, detail["input"], document)


def _unknown(path: KeyPath, document: Document) -> Problem:
    """An unknown key, or a known one in a section where it has no place."""
    *above, name = path
    model: type[BaseModel] = EnvironmentSettings if above else ServiceConfig
    line = document.line_of(path)
    if entry := _entry(path):
        model = entry[0]
    elif above and name in ServiceConfig.model_fields:
        return _misplaced(path, line)
    if not above and name in STANDARD_ENVIRONMENTS:
        fix = f"indent it under `environments:`, as `environments: {{{name}: …}}`"
    else:
        fix = _suggestion(str(name), written(model), service_keys=not above)
    return Problem(
        path=path, what="is not a known key", consequence="it would have no effect", fix=fix, line=line
    )


def _suggestion(name: str, known: Iterable[str], *, service_keys: bool) -> str:
    """Return the fix for a key; at the top level, what is near to no key of curtainup's is left alone."""
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    if not near:
        return "remove it; docs/config.md lists every key"
    own = f" Or, if only the service reads it, list it: `service_keys: [{spelled((name,))}]`"
    return f"did you mean `{near[0]}`?" + (own if service_keys else "")


def _misplaced(path: KeyPath, line: int) -> Problem:
    name = str(path[-1])
    if name in ServiceReads.model_fields:
        reason = "the service reads it from the top level of the file in its image"
    elif name in IdentitySettings.model_fields or name in BuildKeys.model_fields:
        reason = "it belongs to the service, and all environments run the same image"
    else:
        reason = "it is the same for all environments"
    return Problem(
        path=path,
        what="does not belong in the section of an environment",
        consequence=f"it would have no effect: {reason}",
        fix="move it to the top level",
        line=line,
    )


def _bad_name(path: KeyPath, document: Document) -> Problem:
    """The name of an environment, of an entry or of a variable."""
    line = document.line_of(path)
    if path[-2] in _BY_NAME:
        return Problem(
            path=path,
            what=f"is not a valid name for {_BY_NAME[str(path[-2])]}",
            consequence="no container could be named after it",
            fix="use up to 20 lower-case letters, digits and hyphens, starting with a letter",
            line=line,
        )
    if path[-2] == "environments":
        return Problem(
            path=path,
            what="is not a valid name for an environment",
            consequence="stacks and containers could not be named after it",
            fix="use up to 20 lower-case letters, digits and hyphens, starting with a letter",
            line=line,
        )
    return Problem(
        path=path,
        what="is not a valid name for a variable",
        consequence=f"the {'build' if path[0] == 'build' else 'container'} could not get it",
        fix="use letters, digits and underscores, starting with a letter",
        line=line,
    )


def _missing(path: KeyPath) -> Problem:
    """Only `name` and the main key of an entry are required here; the targets' keys are checked apart."""
    if entry := _entry(path):
        model, part, _ = entry
        fix = f"add `{part}: {doc_of(written(model)[part]).example}`"
        consequence = next(without for one, without in _ENTRIES.values() if one is model)
        return Problem(path=path, what="is missing", consequence=consequence, fix=fix)
    return Problem(
        path=path,
        what="is missing",
        consequence="stacks, images and containers would have no name",
        fix="add `name: hello`",
        line=1,
    )


def _wrong(path: KeyPath, value: object, document: Document) -> Problem:
    field = _field(path)
    if field is None:
        return _not_a_section(path, value, document)
    name, info = field
    doc = doc_of(info)
    raw = document.raw.get(path)
    entry = _entry(path)
    inside = entry[2] if entry else len(path) > (3 if path[0] == "environments" else 1)
    return Problem(
        path=path,
        what=f"{_shown(value, raw, private=doc.private)}is not {doc.item if inside else doc.expects}",
        consequence=doc.wrong,
        fix=_fix(name, path, value, raw, doc.example),
        line=document.line_of(path),
    )


def _not_a_section(path: KeyPath, value: object, document: Document) -> Problem:
    return Problem(
        path=path,
        what=f"{_shown(value, None, private=False)}is not a section",
        consequence="the environment would not get the settings meant for it",
        fix=f"write keys below it, e.g. `{path[-1]}: {{port: 8443}}`",
        line=document.line_of(path),
    )


def _field(path: KeyPath) -> tuple[str, FieldInfo] | None:
    """The declared key, of an entry too, that `path` leads to or into; None for a section itself."""
    if entry := _entry(path):
        return entry[1], written(entry[0])[entry[1]]
    if path[0] != "environments" or len(path) == 1:
        return str(path[0]), ServiceConfig.model_fields[str(path[0])]
    if len(path) == 2:
        return None
    return str(path[2]), EnvironmentSettings.model_fields[str(path[2])]


def _entry(path: KeyPath) -> tuple[type[BaseModel], str, bool] | None:
    """What an entry or a mapping is, its key that `path` leads to, and whether into it; None elsewhere."""
    top = path[2:] if path[0] == "environments" else path
    if len(top) > 1 and top[0] in _MAPPINGS:
        return _MAPPINGS[str(top[0])], str(top[1]), len(top) > 2
    if len(top) < 3 or top[0] not in _ENTRIES:
        return None
    if isinstance(top[1], int) == (top[0] in _BY_NAME):
        return None
    return _ENTRIES[str(top[0])][0], str(top[2]), len(top) > 3


def _shown(value: object, raw: str | None, *, private: bool) -> str:
    """The value as the message may show it, with a space after; nothing for a list or a mapping."""
    if isinstance(value, Mapping | tuple):
        return ""
    kind = _kind_of(value)
    if private or value is None:
        return f"this {kind} "
    spelling = raw if raw is not None else str(value)
    spelling = spelling if len(spelling) <= 60 else f"{spelling[:57]}..."
    plain = spelling.isprintable() and not isinstance(value, str)
    return f"{spelling if plain else repr(spelling)} ({kind}) "


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "yes/no value"
    if isinstance(value, int | float):
        return "number"
    if value is None:
        return "empty value"
    if isinstance(value, dt.date):
        return "date"
    return "text" if isinstance(value, str) else "binary value"


def _fix(name: str, path: KeyPath, value: object, raw: str | None, example: str) -> str:
    """The nearest right spelling where it can be told, else the key's example."""
    if name == "name" and isinstance(value, str) and (slug := _slug(value, 40)):
        return f"write `name: {slug}`"
    if name in _NEAR and isinstance(value, str):
        return _NEAR[name](value)
    if name in _VARIABLES and path[-1] != name and isinstance(value, int | float | dt.date | None):
        return f'write it in quotes: `{path[-1]}: "{raw or ""}"`'
    if name in _MEMORY_KEYS and isinstance(value, int) and not isinstance(value, bool):
        return f"write the unit too, e.g. `{name}: {raw}m`"
    if (
        isinstance(value, str)
        and len(value) < 10
        and value.isdecimal()
        and path[-1] == name
        and _accepts(name, int(value))
    ):
        return f"write it without quotes: `{name}: {value}`"
    return f"write e.g. `{name}: {example}`"


def _near_target(value: str) -> str:
    near = difflib.get_close_matches(value.lower(), targets.names(), n=1, cutoff=0.4)
    return f"did you mean `{near[0]}`?" if near else "write one of them, e.g. `deploy_target: docker`"


def _near_zone(value: str) -> str:
    known = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
    near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.7)
    return f"did you mean `{known[near[0]]}`?" if near else "write e.g. `timezone: Europe/Berlin`"


_NEAR: Final[Mapping[str, Callable[[str], str]]] = {"deploy_target": _near_target, "timezone": _near_zone}
"""Keys whose values are names, and what gives the fix for a wrong one."""
_MEMORY_KEYS: Final = ("memory_limit", "gcp_memory")
_VARIABLES: Final = ("env", "args")
"""Keys that hold texts by name."""


def _accepts(name: str, value: object) -> bool:
    """Whether `value` would do for the key called `name`."""
    try:
        ServiceConfig.model_validate({"name": "x", name: value})
    except ValidationError:
        return False
    return True


def _slug(text: str, length: int) -> str:
    """The nearest allowed name, or "" when nothing is left."""
    lowered = re.sub(r"[^a-z0-9]+", "-", text.lower())
    return re.sub(r"^[^a-z]+", "", lowered)[:length].strip("-")
