"""What Cloud Run allows, as pure functions: the configuration's checks and the program ask them alike.

Sources: https://cloud.google.com/run/docs/configuring/services/cpu (processors, memory, concurrency),
https://cloud.google.com/run/docs/configuring/healthchecks and the message `Probe` of the v2 API (probes),
and the API's rules for names (https://github.com/PolicyEngine/policyengine-api/issues/3729 has the one that
binds a service's name to its tags).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

TAG_LENGTH: Final = 8
"""Characters of a release's id, which is its tag."""
SERVICE_NAME_LENGTH: Final = 46 - TAG_LENGTH
"""A tag and the name of its service have 46 characters together: they are one label of a host name."""
REVISION_NAME_LENGTH: Final = 63
START_SECONDS: Final = 240
"""What a startup probe's `periodSeconds * failureThreshold` may be at most."""

TASK_START: Final = 60
"""Seconds that a task may need until it starts; see https://cloud.google.com/run/docs/configuring/task-timeout.

Its timeout counts from then on, and not from the call that asks for it. Google names no bound.
"""

_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_MEMORY_OF_WHOLE: Final = {
    1: (128, 4096),
    2: (128, 8192),
    4: (2048, 16384),
    6: (4096, 24576),
    8: (4096, 32768),
}
"""By processors the least and the most memory, MiB."""
_MOST_OF_PART: Final = {False: 512, True: 1024}
"""The most memory below one processor, MiB, by whether it is half of one at least."""


class Refusal(NamedTuple):
    """Why Cloud Run would refuse a setting.

    Attributes:
        key: the key of `pym-config.yaml`.
        what: what is wrong with its value.
        fix: what to write instead.

    """

    key: str
    what: str
    fix: str


def size(cpus: float, memory_mb: int, concurrency: int) -> Refusal | None:
    """Return why a container cannot have that size, or None when it can."""
    if cpus < 1:
        return _part(cpus, memory_mb, concurrency)
    if cpus not in _MEMORY_OF_WHOLE:
        allowed = ", ".join(str(count) for count in _MEMORY_OF_WHOLE)
        return Refusal(
            "cpus", f"{cpus:g} is not a number that Cloud Run offers", f"write one of {allowed}, or 0.08 to 1"
        )
    least, most = _MEMORY_OF_WHOLE[int(cpus)]
    if memory_mb < least:
        fix = f"write at least `gcp_memory: {_memory(least)}`, or fewer cpus"
        return Refusal("gcp_memory", f"{_memory(memory_mb)} is too little for {cpus:g} cpus", fix)
    if memory_mb > most:
        enough = [str(count) for count, (_, limit) in _MEMORY_OF_WHOLE.items() if limit >= memory_mb]
        more = f", or `cpus: {enough[0]}`" if enough else ""
        fix = f"write at most `gcp_memory: {_memory(most)}`{more}"
        return Refusal("gcp_memory", f"{_memory(memory_mb)} is too much for {_cpus(cpus)}", fix)
    return None


def memory_range(cpus: float) -> tuple[int, int]:
    """Return the least and the most memory of a container with so many processors, MiB."""
    if cpus < 1:
        return 128, _MOST_OF_PART[cpus >= 0.5]
    return _MEMORY_OF_WHOLE[int(cpus)]


def service_name(name: str) -> Refusal | None:
    """Return why a Cloud Run service cannot be called that, or None when it can."""
    if len(name) > SERVICE_NAME_LENGTH:
        over = len(name) - SERVICE_NAME_LENGTH
        return Refusal(
            "name",
            f"gives the Cloud Run service the name {name!r}, which has {len(name)} characters, "
            f"but only {SERVICE_NAME_LENGTH} are allowed",
            f"shorten it, or the environment's name, by {over}",
        )
    if not _NAME.fullmatch(name):
        return Refusal(
            "name",
            f"gives the Cloud Run service the name {name!r}, which Cloud Run does not allow",
            "use lower-case letters, digits and hyphens, starting with a letter",
        )
    return None


def _part(cpus: float, memory_mb: int, concurrency: int) -> Refusal | None:
    """Judge a container with less than one processor."""
    if cpus < 0.08 or round(cpus, 3) != cpus:
        what = f"{cpus:g} is not a number that Cloud Run offers"
        return Refusal("cpus", what, "write 0.08 to 1 in steps of 0.001, or 1, 2, 4, 6 or 8")
    _, most = memory_range(cpus)
    if memory_mb > most:
        what = f"{_memory(memory_mb)} is too much for {_cpus(cpus)}"
        more = "0.5" if memory_mb <= 1024 else "1"
        return Refusal(
            "gcp_memory", what, f"write at most `gcp_memory: {_memory(most)}`, or at least `cpus: {more}`"
        )
    if concurrency != 1:
        what = f"{concurrency} is too many for {_cpus(cpus)}: below 1 cpu a container handles one at a time"
        return Refusal(
            "gcp_request_concurrency", what, "write `gcp_request_concurrency: 1`, or at least `cpus: 1`"
        )
    return None


def _cpus(cpus: float) -> str:
    return f"{cpus:g} cpu" if cpus <= 1 else f"{cpus:g} cpus"


def _memory(mebibytes: int) -> str:
    return f"{mebibytes}m" if mebibytes % 1024 else f"{mebibytes // 1024}G"


def cpu_quantity(cpus: float) -> str:
    """Return processors as the API writes them: `2`, and in thousandths for a part of one, `500m`."""
    return f"{int(cpus)}" if cpus >= 1 else f"{round(cpus * 1000)}m"
