"""The answers of Beanstalk's stand-in to AWS's SDKs and command line, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Thread
from typing import Any

from curtainup.rehearsal.aws.beanstalk import launch as launching
from curtainup.rehearsal.aws.beanstalk import options
from curtainup.rehearsal.aws.beanstalk.state import (
    SOLUTION_STACKS,
    Beanstalk,
    Environment,
    moment,
    now,
    require_prefix,
)
from curtainup.rehearsal.aws.beanstalk.swap import begin, resumed
from curtainup.rehearsal.aws.common import NoAnswer, arn

Arguments = Mapping[str, Any]
_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_MOST_EVENTS = 1000


def applications(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeApplications`."""
    with service.state() as state:
        known, versions = state["applications"], state["versions"]
    names = [name for name in known if name in asked.get("ApplicationNames", known)]
    found = [
        {
            "ApplicationName": name,
            "ApplicationArn": arn("elasticbeanstalk", service.region, f"application/{name}"),
            "Description": known[name]["description"],
            "Versions": [key.partition("/")[2] for key in versions if key.startswith(f"{name}/")],
            "ConfigurationTemplates": [],
        }
        for name in names
    ]
    return {"Applications": found}


def versions(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeApplicationVersions`."""
    with service.state() as state:
        known = state["versions"]
    found = []
    for key, version in known.items():
        application, _, label = key.partition("/")
        if application == asked.get("ApplicationName", application) and label in asked.get(
            "VersionLabels", [label]
        ):
            found.append(
                {
                    "ApplicationName": application,
                    "VersionLabel": label,
                    "Description": version["description"],
                    "SourceBundle": {"S3Bucket": version["bucket"], "S3Key": version["key"]},
                    "Status": "UNPROCESSED",
                }
            )
    return {"ApplicationVersions": found}


def environments(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeEnvironments`."""
    found = [
        _current(service, one) for one in service.environments(deleted=bool(asked.get("IncludeDeleted")))
    ]
    kept = [
        one
        for one in found
        if one["application"] == asked.get("ApplicationName", one["application"])
        and one["version"] == asked.get("VersionLabel", one["version"])
        and one["id"] in asked.get("EnvironmentIds", [one["id"]])
        and one["name"] in asked.get("EnvironmentNames", [one["name"]])
    ]
    return {"Environments": [service.describe(one) for one in kept]}


def events(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeEvents`: newest first."""
    least = _SEVERITIES.index(asked.get("Severity", "TRACE"))
    since = _time(asked.get("StartTime"), 0.0)
    until = _time(asked.get("EndTime"), float("inf"))
    found = [
        {
            "EventDate": moment(one["date"]),
            "Message": one["message"],
            "Severity": one["severity"],
            "ApplicationName": one["application"],
            "EnvironmentName": one["environment"],
        }
        for one in service.events()
        if one["application"] == asked.get("ApplicationName", one["application"])
        and one["environment"] == asked.get("EnvironmentName", one["environment"])
        and one["id"] == asked.get("EnvironmentId", one["id"])
        and _SEVERITIES.index(one["severity"]) >= least
        and since <= one["date"] <= until
    ]
    return {"Events": found[: int(asked.get("MaxRecords") or _MOST_EVENTS)]}


def health(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeEnvironmentHealth`."""
    one = _named(service, asked)
    return {
        "EnvironmentName": one["name"],
        "HealthStatus": one["health_status"],
        "Status": one["status"],
        "Color": one["health"],
        "Causes": one["causes"],
        "ApplicationMetrics": {"RequestCount": 0},
        "InstancesHealth": {"Ok": int(one["health"] == "Green"), "Severe": int(one["health"] == "Red")},
        "RefreshedAt": moment(now()),
    }


def resources(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeEnvironmentResources`."""
    one = _named(service, asked)
    found = {
        "EnvironmentName": one["name"],
        "Instances": [{"Id": f"i-{one['id'].removeprefix('e-')}"}],
        "LoadBalancers": [{"Name": f"awseb-{one['id']}"}],
        "AutoScalingGroups": [{"Name": f"awseb-{one['id']}-stack-AWSEBAutoScalingGroup"}],
    }
    return {"EnvironmentResources": found}


def settings(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`DescribeConfigurationSettings` of an environment."""
    one = _named(service, asked)
    options = [
        {"Namespace": option["namespace"], "OptionName": option["name"], "Value": str(option["value"])}
        for option in one["settings"]
    ]
    found = {
        "ApplicationName": one["application"],
        "EnvironmentName": one["name"],
        "SolutionStackName": one["stack"],
        "DeploymentStatus": "deployed",
        "OptionSettings": options,
    }
    return {"ConfigurationSettings": [found]}


def swap(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`SwapEnvironmentCNAMEs`: answers at once, and swaps afterwards.

    Raises:
        NoAnswer: the swap is over, and its answer is lost, if the fault is asked for.

    """
    both = [
        _named(service, {part: asked.get(f"{side}{part}") for part in ("EnvironmentId", "EnvironmentName")})
        for side in ("Source", "Destination")
    ]
    work = begin(service, *both)
    if service.cloud.faults.strikes_first("lost-answer", both[0]["application"]):
        work.join()
        raise NoAnswer
    return {}


def terminate(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`TerminateEnvironment`: answers at once, and terminates afterwards."""
    record = launching.terminate(service, _named(service, asked))
    Thread(target=launching.take_down, args=(service, record), name="terminate").start()
    return service.describe(record)


def availability(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`CheckDNSAvailability`; the full name of a taken prefix is its address on this machine."""
    prefix = asked.get("CNAMEPrefix") or ""
    require_prefix(prefix)
    holder = next((one for one in service.environments() if one["prefix"].lower() == prefix.lower()), None)
    name = holder["cname"] if holder and holder["cname"] else service.host(prefix)
    return {"Available": holder is None, "FullyQualifiedCNAME": name}


def stacks(service: Beanstalk, asked: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """`ListAvailableSolutionStacks`."""
    details = [{"SolutionStackName": stack, "PermittedFileTypes": ["zip"]} for stack in SOLUTION_STACKS]
    return {"SolutionStacks": list(SOLUTION_STACKS), "SolutionStackDetails": details}


def require(service: Beanstalk, asked: Arguments) -> str | None:
    """Return the name of the environment that a request names, or None."""
    names = [
        *asked.get("EnvironmentNames", ()),
        asked.get("EnvironmentName"),
        asked.get("SourceEnvironmentName"),
    ]
    ids = [*asked.get("EnvironmentIds", ()), asked.get("EnvironmentId"), asked.get("SourceEnvironmentId")]
    by_id = {one["id"]: str(one["name"]) for one in service.environments()}
    return next((name for name in (*names, *(by_id.get(one) for one in ids if one)) if name), None)


def validation(service: Beanstalk, asked: Arguments) -> dict[str, Any]:
    """`ValidateConfigurationSettings` of an environment, as far as values alone show it."""
    service.require_application(asked["ApplicationName"])
    _named(service, asked)
    given = [
        {"namespace": one["Namespace"], "name": one["OptionName"], "value": one.get("Value", "")}
        for one in asked.get("OptionSettings", ())
    ]
    messages = [
        {"Message": wrong, "Severity": "error", "Namespace": one.namespace, "OptionName": one.name}
        for one in options.options(given)
        if (wrong := options.problem([one], launching.account(service)))
    ]
    return {"Messages": messages}


def attributes(service: Beanstalk, asked: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """`DescribeAccountAttributes`."""
    return {"ResourceQuotas": {"EnvironmentQuota": {"Maximum": launching.MOST_ENVIRONMENTS}}}


OPERATIONS: Mapping[str, Callable[[Beanstalk, Arguments], dict[str, Any]]] = {
    "CheckDNSAvailability": availability,
    "DescribeAccountAttributes": attributes,
    "DescribeApplicationVersions": versions,
    "DescribeApplications": applications,
    "DescribeConfigurationSettings": settings,
    "DescribeEnvironmentHealth": health,
    "DescribeEnvironmentResources": resources,
    "DescribeEnvironments": environments,
    "DescribeEvents": events,
    "ListAvailableSolutionStacks": stacks,
    "SwapEnvironmentCNAMEs": swap,
    "TerminateEnvironment": terminate,
    "ValidateConfigurationSettings": validation,
}


def _named(service: Beanstalk, asked: Arguments) -> Environment:
    found = service.environment(asked.get("EnvironmentId"), asked.get("EnvironmentName"))
    return _current(service, found)


def _current(service: Beanstalk, record: Environment) -> Environment:
    return resumed(service, launching.settled(service, record))


def _time(text: str | None, otherwise: float) -> float:
    return datetime.fromisoformat(text).timestamp() if text else otherwise
