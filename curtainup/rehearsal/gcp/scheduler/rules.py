"""What Cloud Scheduler and its provider refuse, as pure functions of a job's inputs.

Sources: the schema of `google_cloud_scheduler_job` in terraform-provider-google
(google/services/cloudscheduler/resource_cloud_scheduler_job.go), the message `Job` of the v1 API
(https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs) and for schedules
https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from curtainup.rehearsal.kind import Failure, Properties
from curtainup.util import zones

TARGETS = ("pubsubTarget", "httpTarget", "appEngineHttpTarget")
INVALID = "Schedule or time zone is invalid."
SHORTEST, LONGEST = 15, 1800
"""Seconds that a call over HTTP may take."""
MOST_RETRIES = 5

_NAME = re.compile(r"[A-Za-z0-9_-]{1,500}")
_SECONDS = re.compile(r"(\d+)(\.\d{1,9})?s")
_PART = re.compile(r"(\*|(?P<first>\w+)(-(?P<last>\w+))?)(/(?P<step>\d+))?")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: Sequence[tuple[int, int, Sequence[str]]] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, _DAYS),
)
"""Of each field the smallest and the largest value, and the names from the smallest on."""


def complaints(inputs: Properties) -> list[Failure]:
    """Return what the provider refuses before anything happens; values that are not known yet pass."""
    given = [one for one in TARGETS if inputs.get(one) is not None]
    if len(given) != 1:
        why = f"one of `{','.join(TARGETS)}` must be specified"
        return [Failure("httpTarget", why if not given else f"only {why}")]
    if given != ["httpTarget"]:
        return [Failure(given[0], f"a rehearsal has no {given[0]}")]
    target = inputs["httpTarget"]
    if isinstance(target, Mapping) and target.get("oauthToken") and target.get("oidcToken"):
        why = "Error in http_target: only one of oauth_token or oidc_token can be specified, but not both."
        return [Failure("httpTarget", why)]
    return []


def refusal(inputs: Properties) -> str | None:
    """Return for what Cloud Scheduler refuses a job, in its own words; None if it takes it."""
    return next(_refusals(inputs), None)


def _refusals(inputs: Properties) -> Iterator[str]:
    if not _NAME.fullmatch(str(inputs["name"])):
        yield "Job name must be formatted."
    if not _is_due(str(inputs.get("schedule") or "")) or not _is_zone(
        str(inputs.get("timeZone") or "Etc/UTC")
    ):
        yield INVALID
    deadline = _SECONDS.fullmatch(str(inputs.get("attemptDeadline") or "180s"))
    if deadline is None or not SHORTEST <= int(deadline[1]) <= LONGEST:
        yield f"The attempt deadline must be from {SHORTEST}s to {LONGEST}s."
    if not 0 <= int((inputs.get("retryConfig") or {}).get("retryCount") or 0) <= MOST_RETRIES:
        yield f"The retry count must be from 0 to {MOST_RETRIES}."
    if not str(inputs["httpTarget"]["uri"]).startswith(("https://", "http://")):
        yield "The URI of a job must be a valid HTTP or HTTPS URL."


def _is_due(schedule: str) -> bool:
    """Whether a schedule is in unix-cron format: five fields of numbers, names, ranges, lists and steps."""
    fields = schedule.split()
    return len(fields) == len(_FIELDS) and all(
        _is_part(part, *rule) for text, rule in zip(fields, _FIELDS, strict=True) for part in text.split(",")
    )


def _is_part(part: str, least: int, most: int, names: Sequence[str]) -> bool:
    found = _PART.fullmatch(part)
    if found is None or found["step"] == "0":
        return False
    values = [_value(one, least, names) for one in (found["first"], found["last"]) if one is not None]
    known = [one for one in values if one is not None and least <= one <= most]
    return known == values and sorted(known) == known


def _value(text: str, least: int, names: Sequence[str]) -> int | None:
    if text.upper() in names:
        return least + names.index(text.upper())
    return int(text) if text.isdecimal() else None


def _is_zone(name: str) -> bool:
    return name == "utc" or name in zones.names()
