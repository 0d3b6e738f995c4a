"""Keys of `pym-config.yaml` that PyMacaron or another tool reads, and curtainup does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from curtainup.config.models import STANDARD_ENVIRONMENTS, ServiceConfig

FRAMEWORK: Final = re.compile(
    r"app_name_(live|dev)|(worker|cpu)_count|scout_.+|aws_(access_key_id|secret_access_key|default_region)"
    r"|env_jwt_(secret|audience|issuer)|error_callback|apis_path|local_only|gcp_project|gke_.+|pymacaron_.+"
)
"""Keys of PyMacaron and its extensions: read by the service from the file in its image, or by its tools."""
BUILD: Final = frozenset({"dockerfile", "target", "build_args", "build_target", "context"})
"""Keys that change a build elsewhere, and that curtainup does not have."""
NEAR: Final = 0.75
"""How alike a key has to be to one of curtainup's to be taken for a slip of the pen."""


def left_to_the_service(names: Iterable[str]) -> tuple[str, ...]:
    """Return the keys, of those of a file's top level, that are no slip of the pen of one of curtainup's."""
    return tuple(name for name in names if name not in ServiceConfig.model_fields and not _is_slip(name))


def _is_slip(name: str) -> bool:
    if FRAMEWORK.fullmatch(name) or name in BUILD:
        return False
    plain = name.lower().replace("-", "_")
    known = (*ServiceConfig.model_fields, *STANDARD_ENVIRONMENTS)
    return bool(difflib.get_close_matches(plain, known, n=1, cutoff=NEAR))


def remarks(names: Iterable[str]) -> list[str]:
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
    return found


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)
