"""Finds, reads and validates a service's configuration, before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from curtainup.config.checks import every
from curtainup.config.models import EnvironmentSettings, ServiceConfig
from curtainup.config.reading import neighbours, pymacaron
from curtainup.config.reading.problems import NOTHING_HAPPENED, KeyPath, Problem, config_error, rendered
from curtainup.config.reading.source import Document, read
from curtainup.config.reading.wording import problems_of
from curtainup.errors import ConfigError

FILE_NAME: Final = "pym-config.yaml"
_OVERLAY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STAND_IN: Final = "unnamed"


def config_file(service_dir: Path, overlay: str | None = None) -> Path:
    """`pym-config.yaml`, or with an overlay `pym-config.OVERLAY.yaml`, which takes its place entirely.

    Raises:
        ConfigError: the overlay's name could lead out of the folder.

    """
    if overlay is None:
        return service_dir / FILE_NAME
    if not _OVERLAY.fullmatch(overlay):
        raise ConfigError(
            f"{overlay!r} is not the name of a configuration.",
            where="--config",
            consequence=NOTHING_HAPPENED,
            fix="Give the part between the dots: `--config demo` reads pym-config.demo.yaml.",
        )
    return service_dir / f"pym-config.{overlay}.yaml"


def load(service_dir: Path, overlay: str | None = None, *, warn: Callable[[str], None]) -> ServiceConfig:
    """The validated configuration of the service in `service_dir`.

    Args:
        service_dir: the folder that holds `pym-config.yaml`.
        overlay: reads `pym-config.OVERLAY.yaml` instead.
        warn: gets one line for each obsolete, ignored or odd key, and for what is left to the service.

    Raises:
        ConfigError: the file is missing or unreadable, or has problems; all of them are listed at once.

    """
    document = read(config_file(service_dir, overlay))
    data = _without_service_keys(document, _without_nothing(document.data))
    left = pymacaron.left_to_the_service(data)
    unfilled = pymacaron.placeholders(data)
    data = {name: value for name, value in data.items() if name not in {*left, *unfilled}}
    config, problems, suspect = _validated(document, data)
    problems += [found for found in every.mistakes(config) if not _follows_from(found, suspect)]
    problems += document.problems
    if problems:
        raise config_error(document.file, [_placed(problem, document) for problem in problems])
    for oddity in every.oddities(config):
        warn(rendered(_placed(oddity, document), document.file.name))
    for remark in pymacaron.remarks(left, unfilled):
        warn(f"{document.file.name}: {remark}")
    if overlay is None:
        for remark in neighbours.remarks(service_dir, config):
            warn(remark)
    return _with_live_url(_with_live_host(config))


def _with_live_host(config: ServiceConfig) -> ServiceConfig:
    """As in the seed, the host of `live_url` takes the place of `live_host`."""
    host = urlsplit(config.live_url or "").hostname
    return config.model_copy(update={"live_host": host}) if host else config


def _with_live_url(config: ServiceConfig) -> ServiceConfig:
    """Where curtainup itself provides HTTPS, live's address follows from its host."""
    host = config.https_host("live")
    return config.model_copy(update={"live_url": f"https://{host}"}) if host else config


def _without_nothing(data: dict[str, Any]) -> dict[str, Any]:
    """A key with nothing after it counts as not given, at the top and in a section."""
    given = {name: value for name, value in data.items() if value is not None}
    sections = given.get("environments")
    if isinstance(sections, dict):
        given["environments"] = {name: _section(section) for name, section in sections.items()}
    return given


def _section(section: Any) -> Any:
    if section is None:
        return {}
    if isinstance(section, dict):
        return {name: value for name, value in section.items() if value is not None}
    return section


def _without_service_keys(document: Document, data: dict[str, Any]) -> dict[str, Any]:
    """Leaves out the keys that the file itself names as the service's own."""
    own = data.get("service_keys")
    if not isinstance(own, tuple):
        return data
    for at, name in enumerate(own):
        if isinstance(name, str) and name in ServiceConfig.model_fields:
            document.problems.append(
                Problem(
                    path=("service_keys", at),
                    what=f"{name} is a key that curtainup reads",
                    consequence="curtainup cannot leave it to the service alone",
                    fix="remove it from service_keys, and rename the service's own key",
                )
            )
    left_alone = {name for name in own if isinstance(name, str)} - ServiceConfig.model_fields.keys()
    return {name: value for name, value in data.items() if name not in left_alone}


def _validated(document: Document, data: dict[str, Any]) -> tuple[ServiceConfig, list[Problem], set[str]]:
    """The model, what is wrong, and the keys that are wrong.

    Wrong keys are left out and the rest is validated again, so that the rules between keys still see what
    is right and all problems come at once. With problems, the model serves for nothing else.
    """
    try:
        return ServiceConfig.model_validate(data), [], set()
    except ValidationError as error:
        problems = problems_of(error, document)
    suspect = {_key_of(problem.path) for problem in problems}
    return ServiceConfig.model_validate(_right_part(data, problems)), problems, suspect


def _right_part(data: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """`data` without the keys and sections that have problems."""
    paths = {problem.path for problem in problems}
    right = {name: value for name, value in data.items() if not any(path[0] == name for path in paths)}
    sections = data.get("environments")
    if isinstance(sections, dict) and ("environments",) not in paths:
        right["environments"] = {
            name: {
                key: value
                for key, value in section.items()
                if not _touched(("environments", name, key), paths)
            }
            for name, section in sections.items()
            if isinstance(section, dict) and ("environments", name) not in paths
        }
    return {"name": _STAND_IN} | right


def _touched(path: KeyPath, paths: set[KeyPath]) -> bool:
    return any(wrong[: len(path)] == path for wrong in paths)


def _key_of(path: KeyPath) -> str:
    """The key at fault, whichever level it stands on."""
    inside = path[0] == "environments" and len(path) > 2
    return str(path[2] if inside else path[0])


def _follows_from(problem: Problem, suspect: set[str]) -> bool:
    """Whether the problem may only be there because a wrong key was left out."""
    name = _key_of(problem.path)
    related = {name, "environments"} | _RELATED.get(name, set())
    return bool(suspect & related) or name not in {
        *ServiceConfig.model_fields,
        *EnvironmentSettings.model_fields,
    }


_RELATED: Final = {
    "aws_hosts_min": {"aws_hosts_max"},
    "aws_hosts_max": {"aws_hosts_min"},
    "canary": {"deploy_target", "canary_every", "canary_metrics"},
    "metrics_url": {"metrics_project"},
    "metrics_user": {"metrics_password_env"},
    "metrics_password_env": {"metrics_user"},
    "tasks": {"deploy_target"},
    "port": {"deploy_target"},
    "gcp_region": {"deploy_target"},
    "docker_repo": {"deploy_target"},
    "with_async": {"deploy_target"},
}


def _placed(problem: Problem, document: Document) -> Problem:
    return problem if problem.line else replace(problem, line=document.line_of(problem.path))
