"""Rules of Cloud Run that concern more than one key, or more than a key's own type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from math import inf
from typing import Final

from curtainup.config import cloud_run_limits as limits
from curtainup.config.checks.shared import bounds, known_region
from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS
from curtainup.util import cron, durations, zones

DEFAULT_CPUS: Final = 1.0
_RESERVED: Final = frozenset({"K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_YEAR: Final = timedelta(days=366)
_DAY_FIELDS: Final = (2, 4)
"""Of a line of five fields; see https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules."""
_LOOKED_AT: Final = 5000
"""Of how many due times the shortest gap is known; a line with more has the same hours every day."""
_REFUSED: Final = "Cloud Run would refuse the revision"


def cloud_run(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Everything that Cloud Run would refuse of an environment."""
    if environment.deploy_target != "gcp-cloud-run":
        return
    fix = "`gcloud run regions list` lists them all"
    yield from known_region(config, environment, "gcp_region", CLOUD_RUN_REGIONS, "Cloud Run", fix)
    yield from bounds(config, environment, "gcp_min_instances", "gcp_max_instances")
    yield from _start(config, environment)
    yield from _overlaps(config, environment)
    yield from _days(config, environment)
    yield from _reserved(config, environment)
    cpus = DEFAULT_CPUS if environment.cpus is None else environment.cpus
    size = limits.size(cpus, environment.gcp_memory, environment.gcp_request_concurrency)
    name = limits.service_name(f"{environment.service}-{environment.environment}")
    for refusal in (size, name):
        if refusal is not None:
            yield Problem(
                path=("name",) if refusal.key == "name" else place(config, environment, refusal.key),
                what=refusal.what,
                consequence="Cloud Run would refuse the service" if refusal.key == "name" else _REFUSED,
                fix=refusal.fix,
            )


def _start(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if environment.start_timeout > limits.START_SECONDS:
        yield Problem(
            path=place(config, environment, "start_timeout"),
            what=f"{environment.start_timeout} is too long: Cloud Run waits at most {limits.START_SECONDS} "
            "seconds for a container",
            consequence=_REFUSED,
            fix=f"write at most `start_timeout: {limits.START_SECONDS}`",
        )


def _overlaps(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Nothing but its end keeps a run from going on beside the next one, which Cloud Scheduler starts."""
    for name, one in environment.schedule.items():
        if one.overlap == "allow" or cron.has_seconds(one.cron):
            continue
        gap = _shortest_gap(one.cron, one.timezone)
        left = gap - limits.TASK_START
        if left < one.time_limit:
            start, limit = durations.render(limits.TASK_START), durations.render(one.time_limit)
            yield Problem(
                path=(*place(config, environment, "schedule"), name, "time_limit"),
                what=f"{limit}, with up to {start} until it starts, is more than the {durations.render(gap)} "
                "between two of its runs, and Cloud Scheduler starts the next one all the same",
                consequence="two runs could do the same work at once",
                fix=f"write at most `time_limit: {durations.render(left)}`, or `overlap: allow`"
                if left > 0
                else "write `overlap: allow`, or a `cron` with more time between two runs",
            )


def _days(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Cron wants both day fields to match if one begins with a star; Google says it of `*` alone."""
    for name, one in environment.schedule.items():
        days = [field for at, field in enumerate(one.cron.split()) if at in _DAY_FIELDS]
        if "*" not in days and any(field.startswith("*") for field in days):
            yield Problem(
                path=(*place(config, environment, "schedule"), name, "cron"),
                what="has a day field with `*/`, and nobody knows whether Cloud Scheduler then wants both "
                "day fields to match",
                consequence="it could run on more days than you meant",
                fix="write `*` for one of them, and let the command look at the other",
            )


@cache
def _shortest_gap(line: str, zone: str) -> float:
    """Return the shortest time between two due times of a year, or of the first of them, in seconds."""
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    due = takewhile(lambda one: one < begin + _YEAR, cron.due_after(line, zones.zone(zone), begin))
    pairs = pairwise(islice(due, _LOOKED_AT))
    return min(((later - one).total_seconds() for one, later in pairs), default=inf)


def _reserved(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Variables that Cloud Run sets by itself, besides those that every target sets."""
    section = config.environments.get(environment.environment)
    own = section.env if section is not None else {}
    above: KeyPath = ("environments", environment.environment)
    places = [(name, (*above, "env", name) if name in own else ("env", name)) for name in environment.env]
    listed = place(config, environment, "env_secrets")
    places += [(name, (*listed, at)) for at, name in enumerate(environment.env_secrets)]
    for name, path in places:
        if name in _RESERVED:
            yield Problem(
                path=path,
                what=f"{name} is set by Cloud Run",
                consequence=_REFUSED,
                fix="remove it, and use another name",
            )
