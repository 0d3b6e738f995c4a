"""The state of Beanstalk's stand-in: applications, versions, environments and events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from curtainup.rehearsal.aws.common import AwsError, arn
from curtainup.rehearsal.kind import Cloud

_PREFIX = re.compile(r"(?=.{4,63}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_NAME = re.compile(r"(?=.{4,40}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")

SOLUTION_STACKS = tuple(
    f"64bit Amazon Linux {platform}"
    for platform in (
        "2023 v4.7.2 running Docker",
        "2023 v4.3.2 running ECS",
        "2023 v4.8.0 running Python 3.13",
        "2023 v4.8.0 running Python 3.11",
        "2 v4.3.1 running Docker",
        "2 v4.0.1 running ECS",
        "2023 v4.7.1 running Docker",
        "2 v4.3.0 running Docker",
    )
)

LAG_SECONDS = 2.0
"""For how long reads lag behind writes, if they do; AWS's APIs promise no more than eventual consistency.

Source: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html, of the API below Beanstalk.
"""
_TOLD = ("status", "health", "health_status", "cname", "endpoint", "version", "updated")

Environment = dict[str, Any]
"""An environment's record; `Beanstalk.describe` returns the part of it that AWS shows."""


@dataclass(frozen=True)
class Beanstalk:
    """Beanstalk in one region."""

    cloud: Cloud
    region: str

    @contextmanager
    def state(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Yield the region's records by kind; they are locked in the meantime, so hold them only briefly."""
        with self.cloud.home.cloud("beanstalk") as everything:
            mine = everything.setdefault(self.region, {})
            for kind in ("applications", "versions", "environments", "events"):
                mine.setdefault(kind, {})
            yield mine

    def application(self, name: str) -> dict[str, Any] | None:
        """Return an application's record."""
        with self.state() as state:
            found: dict[str, Any] | None = state["applications"].get(name)
        return found

    def require_application(self, name: str) -> None:
        """Raise `AwsError` unless an application of that name exists."""
        if self.application(name) is None:
            raise AwsError("InvalidParameterValue", f"No Application named '{name}' found.")

    def version(self, application: str, label: str) -> dict[str, Any] | None:
        """Return a version's record."""
        with self.state() as state:
            found: dict[str, Any] | None = state["versions"].get(f"{application}/{label}")
        return found

    def require_version(self, application: str, label: str) -> dict[str, Any]:
        """Return a version's record, or raise `AwsError`."""
        found = self.version(application, label)
        if found is None:
            raise AwsError("InvalidParameterValue", f"No Application Version named '{label}' found.")
        return found

    def environments(self, *, deleted: bool = False) -> list[Environment]:
        """Return the environments, oldest first, with the terminated ones only if asked for."""
        with self.state() as state:
            found = list(state["environments"].values())
        found.sort(key=lambda one: one["created"])
        return [one for one in found if deleted or one["status"] != "Terminated"]

    def environment(self, id: str | None = None, name: str | None = None) -> Environment:  # noqa: A002
        """Return the environment of that id or name, or raise `AwsError`."""
        for one in self.environments():
            if one["id"] == id or one["name"] == name:
                return one
        if id:
            raise AwsError("InvalidParameterValue", f"No Environment found for EnvironmentId = '{id}'.")
        raise AwsError("InvalidParameterValue", f"No Environment found for EnvironmentName = '{name}'.")

    def change(self, id: str, **changes: Any) -> Environment:  # noqa: A002
        """Change an environment's record, and return it."""
        with self.state() as state:
            record: Environment = state["environments"][id]
            self.overwrite(record, {**changes, "updated": now()})
        return record

    def overwrite(self, record: Environment, changes: Mapping[str, Any]) -> None:
        """Change a record; what it was is told for a while, if reads lag behind writes."""
        lag = record.get("lag")
        if self.cloud.faults.strikes("eventual", record["name"]) and (not lag or lag["until"] < now()):
            record["lag"] = {"until": now() + LAG_SECONDS, "was": {name: record[name] for name in _TOLD}}
        record |= changes

    def told(self, one: Environment) -> Environment:
        """Return an environment as reads tell it: as it was a while ago, if they lag behind."""
        lag = one.get("lag")
        return {**one, **lag["was"]} if lag and lag["until"] > now() else one

    def say(self, environment: Mapping[str, Any], message: str, severity: str = "INFO") -> None:
        """Add an event of an environment."""
        with self.state() as state:
            event = {
                "date": now(),
                "message": message,
                "severity": severity,
                "application": environment["application"],
                "environment": environment["name"],
                "id": environment["id"],
            }
            state["events"][f"{len(state['events']):09}"] = event

    def events(self) -> list[dict[str, Any]]:
        """Return all events, newest first."""
        with self.state() as state:
            return [event for _, event in sorted(state["events"].items(), reverse=True)]

    def set_health(self, environment: Environment, status: str, causes: Sequence[str] = ()) -> None:
        """Change an environment's health, and add the event about it."""
        colour = {"Ok": "Green", "Info": "Green", "Pending": "Grey", "Warning": "Yellow"}.get(status, "Red")
        before = self.environment(environment["id"])["health_status"]
        self.change(environment["id"], health=colour, health_status=status, causes=list(causes))
        if before != status:
            why = " ".join(causes)
            severity = "WARN" if colour == "Red" else "INFO"
            self.say(
                environment,
                f"Environment health has transitioned from {before} to {status}. {why}".strip(),
                severity,
            )

    def require_names(self, name: str, prefix: str | None) -> None:
        """Raise `AwsError` if an environment's name or CNAME prefix is invalid or taken."""
        if not _NAME.fullmatch(name):
            raise AwsError(
                "InvalidParameterValue",
                f"Value {name} at 'EnvironmentName' failed to satisfy constraint: Member must be from 4 to "
                "40 characters in length. The name can contain only letters, numbers, and hyphens. It can't "
                "start or end with a hyphen.",
            )
        if prefix is not None:
            require_prefix(prefix)
        for one in self.environments():
            if one["name"] == name:
                raise AwsError("InvalidParameterValue", f"Environment {name} already exists.")
            if prefix is not None and one["prefix"].lower() == prefix.lower():
                raise AwsError("InvalidParameterValue", f"DNS name ({self.host(prefix)}) is not available.")

    def host(self, prefix: str) -> str:
        """Return the full name of a prefix on the real service."""
        return f"{prefix}.{self.region}.elasticbeanstalk.com"

    def describe(self, one: Environment) -> dict[str, Any]:
        """Return an environment as `EnvironmentDescription`."""
        one = self.told(one)
        return {
            "EnvironmentName": one["name"],
            "EnvironmentId": one["id"],
            "ApplicationName": one["application"],
            "VersionLabel": one["version"],
            "SolutionStackName": one["stack"],
            "PlatformArn": platform_arn(self.region, one["stack"]),
            "Description": one["description"],
            "EndpointURL": one["endpoint"],
            **({"CNAME": one["cname"]} if one["cname"] else {}),
            "DateCreated": moment(one["created"]),
            "DateUpdated": moment(one["updated"]),
            "Status": one["status"],
            "AbortableOperationInProgress": False,
            "Health": one["health"],
            "HealthStatus": one["health_status"],
            "Tier": {"Name": one["tier"], "Type": "Standard", "Version": "1.0"},
            "EnvironmentLinks": [],
            "EnvironmentArn": self.arn(one),
        }

    def arn(self, one: Mapping[str, Any]) -> str:
        """Return an environment's ARN."""
        return arn("elasticbeanstalk", self.region, f"environment/{one['application']}/{one['name']}")


def require_prefix(prefix: str) -> None:
    """Raise `AwsError` if a CNAME prefix is invalid."""
    if not _PREFIX.fullmatch(prefix):
        raise AwsError(
            "InvalidParameterValue",
            f"Value {prefix} at 'CNAMEPrefix' failed to satisfy constraint: Member must be from 4 to 63 "
            "characters in length. It can contain only letters, numbers, and hyphens. It can't start or end "
            "with a hyphen.",
        )


def platform_arn(region: str, stack: str) -> str:
    """Return the ARN of a solution stack's platform."""
    found = re.fullmatch(r"(64bit Amazon Linux \S+) v(\S+) (running .+)", stack)
    name, number = (
        (f"{found[3].removeprefix('running ')} running on {found[1]}", found[2]) if found else (stack, "1")
    )
    return f"arn:aws:elasticbeanstalk:{region}::platform/{name}/{number}"


def now() -> float:
    """Return the time as in records: seconds since 1970."""
    return datetime.now(UTC).timestamp()


def moment(seconds: float) -> datetime:
    """Return a record's time."""
    return datetime.fromtimestamp(seconds, UTC)
