"""Keys of `pym-config.yaml` that PyMacaron or another tool reads, and curtainup does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from curtainup.config.keys import doc_of
from curtainup.config.models import STANDARD_ENVIRONMENTS, ServiceConfig

FRAMEWORK: Final = re.compile(
    r"app_name_(live|dev)|(worker|cpu)_count|scout_.+|aws_(access_key_id|secret_access_key|default_region)"
    r"|env_jwt_(secret|audience|issuer)|error_callback|apis_path|local_only|gcp_project|gke_.+|pymacaron_.+"
)
"""Keys of PyMacaron and its extensions: read by the service from the file in its image, or by its tools."""
BUILD: Final = frozenset({"dockerfile", "target", "build_args", "build_target", "context"})
"""Keys that change a build elsewhere, and that curtainup does not have."""
_PLACEHOLDER: Final = re.compile(r"<[A-Za-z0-9_ .-]+>")
_PROJECT: Final = ("gcp-cloud-run", "gke")
"""Targets that need `docker_repo`; others have a registry of their own."""
NEAR: Final = 0.75
"""How alike a key has to be to one of curtainup's to be taken for a slip of the pen."""


def left_to_the_service(names: Iterable[str]) -> tuple[str, ...]:
    """Return the keys, of those of a file's top level, that are no slip of the pen of one of curtainup's."""
    return tuple(name for name in names if name not in ServiceConfig.model_fields and not _is_slip(name))


def placeholders(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys that still have a placeholder of PyMacaron's manual, and that no environment needs."""
    return tuple(
        name for name, value in data.items() if _is_placeholder(value) and not _is_needed(name, data)
    )


def _is_placeholder(value: object) -> bool:
    return isinstance(value, str) and bool(_PLACEHOLDER.fullmatch(value))


def _is_needed(name: str, data: Mapping[str, Any]) -> bool:
    """Return whether a target that the file names heeds a key."""
    field = ServiceConfig.model_fields.get(name)
    if field is None:
        return False
    sections = data.get("environments")
    levels = [data, *(sections.values() if isinstance(sections, dict) else ())]
    named = {one.get("deploy_target") for one in levels if isinstance(one, dict)} - {None} or {"docker"}
    heeding = set(_PROJECT) if name == "docker_repo" else {*doc_of(field).targets}
    return bool(named & heeding)


def _is_slip(name: str) -> bool:
    if FRAMEWORK.fullmatch(name) or name in BUILD:
        return False
    plain = name.lower().replace("-", "_")
    known = (*ServiceConfig.model_fields, *STANDARD_ENVIRONMENTS)
    return bool(difflib.get_close_matches(plain, known, n=1, cutoff=NEAR))


def remarks(names: Iterable[str], unfilled: Iterable[str] = ()) -> list[str]:
    """Return what to say of keys that are left to the service: one line, and one for each of builds."""
    own = [name for name in names if not FRAMEWORK.fullmatch(name)]
    build = [name for name in own if name in BUILD]
    others = [_shown(name) for name in own if name not in BUILD]
    found = []
    if others:
        found.append(
            f"left to the service, as curtainup has no such key: {', '.join(others)}; "
            f"`service_keys: [{', '.join(others)}]` ends this line"
        )
    found += [
        f"{name} has no effect: curtainup builds the last stage of ./Dockerfile, without build arguments, "
        "from the service's folder"
        for name in build
    ]
    found += [f"{name} is still a placeholder, so it counts as not given" for name in unfilled]
    return found


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)
