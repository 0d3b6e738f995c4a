"""Elastic Beanstalk's stand-in, as the provider offers it: applications, versions and environments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Event, Thread
from time import monotonic
from typing import Any

from curtainup.providers.protocol import UNKNOWN
from curtainup.rehearsal import beanstalk_launch as launching
from curtainup.rehearsal import go_text, s3
from curtainup.rehearsal.aws_service import AwsError, arn, region_of, tags_of, told
from curtainup.rehearsal.beanstalk_state import SOLUTION_STACKS, Beanstalk, platform_arn
from curtainup.rehearsal.beanstalk_state import Environment as Record
from curtainup.rehearsal.beanstalk_swap import resumed
from curtainup.rehearsal.kind import Cloud, CloudError, Failure, Found, Kind, Made, Properties, Unready

_SERVICE = "Elastic Beanstalk"
_TIMEOUT = "20m"
_POLL = 0.05
_LONGEST = 45.0
"""Seconds at most that the provider waits for a state: longer time-outs run faster here."""
_THROTTLED = 2.0


class _Kind(Kind):
    def service(self, properties: Properties) -> Beanstalk:
        """Return Beanstalk in the resource's region."""
        return Beanstalk(self.cloud, region_of(self.cloud, properties))


class Application(_Kind):
    """`aws:elasticbeanstalk/application:Application`."""

    token = "aws:elasticbeanstalk/application:Application"
    named_by = "name"
    replaced_by = frozenset({"name", "region"})
    computed = ("arn", "tagsAll")

    def create(self, inputs: Properties) -> Made:
        """Make it."""
        name, service = inputs["name"], self.service(inputs)
        with told(f"creating Elastic Beanstalk Application ({name})", _SERVICE, "CreateApplication"):
            if not 1 <= len(name) <= 100 or "/" in name:
                raise AwsError(
                    "InvalidParameterValue", f"Value {name} at 'ApplicationName' failed to satisfy constraint"
                )
            with service.state() as state:
                if name in state["applications"]:
                    raise AwsError("InvalidParameterValue", f"Application {name} already exists.")
                state["applications"][name] = {"description": inputs.get("description") or ""}
        return Made(name, self._outputs(name, service, inputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Take the description and tags."""
        service = self.service(inputs)
        with service.state() as state:
            state["applications"].setdefault(id, {})["description"] = inputs.get("description") or ""
        return self._outputs(id, service, inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Say whether it is there."""
        return Found(outputs=outputs) if self.service(outputs).application(id) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove it, unless it has environments."""
        service = self.service(outputs)
        with told(f"deleting Elastic Beanstalk Application ({id})", _SERVICE, "DeleteApplication"):
            if any(one["application"] == id for one in service.environments()):
                message = f"Unable to delete application {id} because it has running environments."
                raise AwsError("OperationInProgressFailure", message)
        with service.state() as state:
            state["applications"].pop(id, None)

    def _outputs(self, name: str, service: Beanstalk, inputs: Properties) -> dict[str, Any]:
        resource = arn("elasticbeanstalk", service.region, f"application/{name}")
        return {"arn": resource, "tagsAll": tags_of(self.cloud, inputs), "region": service.region}


class ApplicationVersion(_Kind):
    """`aws:elasticbeanstalk/applicationVersion:ApplicationVersion`."""

    token = "aws:elasticbeanstalk/applicationVersion:ApplicationVersion"
    named_by = "name"
    replaced_by = frozenset({"application", "bucket", "key", "name", "region"})
    computed = ("arn", "tagsAll")

    def create(self, inputs: Properties) -> Made:
        """Make it of a bundle in S3."""
        name, application, service = inputs["name"], inputs["application"], self.service(inputs)
        record = {part: inputs.get(part) or "" for part in ("bucket", "key", "description")}
        with told(
            f"creating Elastic Beanstalk Application Version ({name})", _SERVICE, "CreateApplicationVersion"
        ):
            service.require_application(application)
            self._require_bundle(record["bucket"], record["key"])
            with service.state() as state:
                if f"{application}/{name}" in state["versions"]:
                    raise AwsError("InvalidParameterValue", f"Application Version {name} already exists.")
                state["versions"][f"{application}/{name}"] = record
        return Made(name, self._outputs(name, service, inputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Take the description and tags."""
        service = self.service(inputs)
        with service.state() as state:
            version = state["versions"].setdefault(f"{inputs['application']}/{id}", {})
            version["description"] = inputs.get("description") or ""
        return self._outputs(id, service, inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Say whether it is there."""
        found = self.service(outputs).version(outputs["application"], id)
        return Found(outputs=outputs) if found else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove it, unless an environment runs it."""
        service, application = self.service(outputs), outputs["application"]
        users = [
            one["id"]
            for one in service.environments()
            if (one["application"], one["version"]) == (application, id)
        ]
        if users and not outputs.get("forceDelete"):
            raise CloudError(
                f"deleting Elastic Beanstalk Application Version ({id}): Unable to delete Application "
                "Version, it is "
                f"currently in use by the following environments: {', '.join(users)}."
            )
        with service.state() as state:
            state["versions"].pop(f"{application}/{id}", None)

    def _require_bundle(self, bucket: str, key: str) -> None:
        try:
            s3.content(self.cloud.home, bucket, key)
        except AwsError as error:
            raise AwsError(
                "InvalidParameterCombination",
                f"Unable to download from S3 location (Bucket: {bucket}  Key: {key}). Reason: Not Found",
            ) from error

    def _outputs(self, name: str, service: Beanstalk, inputs: Properties) -> dict[str, Any]:
        resource = arn(
            "elasticbeanstalk", service.region, f"applicationversion/{inputs['application']}/{name}"
        )
        return {"arn": resource, "tagsAll": tags_of(self.cloud, inputs), "region": service.region}


class Environment(_Kind):
    """`aws:elasticbeanstalk/environment:Environment`."""

    token = "aws:elasticbeanstalk/environment:Environment"
    named_by = "name"
    replaced_by = frozenset({"cnamePrefix", "name", "region", "tier"})
    computed = (
        "allSettings",
        "arn",
        "autoscalingGroups",
        "cname",
        "endpointUrl",
        "instances",
        "launchConfigurations",
        "loadBalancers",
        "platformArn",
        "queues",
        "tagsAll",
        "triggers",
    )
    changing = ("allSettings", "instances")

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse durations, tiers and combinations that the real provider refuses."""
        found = [_duration(inputs, "waitForReadyTimeout"), _duration(inputs, "pollInterval")]
        poll = go_text.seconds(inputs["pollInterval"]) if _is_known(inputs, "pollInterval") else None
        if poll is not None and not 10 <= poll <= 180:
            found.append(Failure("pollInterval", '"poll_interval" must be between 10s and 180s'))
        if inputs.get("tier") not in (None, UNKNOWN, "WebServer", "Worker"):
            reason = f"{inputs['tier']} is not a valid tier. Valid options are WebServer or Worker"
            found.append(Failure("tier", reason))
        platforms = [
            name for name in ("solutionStackName", "platformArn", "templateName") if inputs.get(name)
        ]
        if len(platforms) > 1:
            found.append(Failure(platforms[0], f'conflicts with "{platforms[1]}"'))
        return [one for one in found if one]

    def create(self, inputs: Properties) -> Made:
        """Launch it, and wait until it is Ready."""
        service, name = self.service(inputs), inputs["name"]
        self._wait_if_throttled(name)
        with told(f"creating Elastic Beanstalk Environment ({name})", _SERVICE, "CreateEnvironment"):
            record = launching.accept(
                service, {**_wanted(service, inputs), "name": name, "prefix": inputs.get("cnamePrefix")}
            )
        work = Thread(target=launching.launch, args=(service, record), name=f"launch {name}")
        work.start()
        self._wait(service, record, inputs, "create", record["created"])
        work.join()
        return Made(record["id"], self._outputs(service, service.environment(record["id"]), inputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change what differs, and wait until it is Ready."""
        service = self.service(inputs)
        self._wait_if_throttled(inputs["name"])
        with told(f"updating Elastic Beanstalk Environment ({id})", _SERVICE, "UpdateEnvironment"):
            record = resumed(service, launching.settled(service, service.environment(id)))
            wanted = _wanted(service, inputs)
            changes = {name: wanted[name] for name in wanted if wanted[name] != record[name]}
            if changes:
                began = record["updated"]
                launching.update(service, record, changes)
                self._wait(service, record, inputs, "update", began)
        return self._outputs(service, service.environment(id), inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return it as it is: its name moves with a swap, and it may have been terminated."""
        service = self.service(outputs)
        try:
            record = resumed(service, launching.settled(service, service.environment(id)))
        except AwsError:
            return None
        if record["status"] in ("Terminating", "Terminated"):
            return None
        now = {
            "cnamePrefix": record["prefix"],
            "version": record["version"],
            "description": record["description"],
        }
        drifted = {
            name: value
            for name, value in now.items()
            if outputs.get(name) is not None and outputs[name] != value
        }
        return Found(drifted, self._outputs(service, record, outputs))

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Terminate it, once it is Ready."""
        service = self.service(outputs)
        try:
            record = service.environment(id)
        except AwsError:
            return
        self._await_ready(service, record, launching.STUCK * 2)
        with told(f"deleting Elastic Beanstalk Environment ({id})", _SERVICE, "TerminateEnvironment"):
            record = service.environment(id)
            if record["status"] != "Terminating":
                record = launching.terminate(service, record)
        launching.take_down(service, record)

    def _outputs(self, service: Beanstalk, record: Record, inputs: Properties) -> dict[str, Any]:
        part = record["id"].removeprefix("e-")
        return {
            "allSettings": record["settings"],
            "arn": service.arn(record),
            "autoscalingGroups": [f"awseb-{record['id']}-stack-AWSEBAutoScalingGroup"],
            "cname": record["cname"],
            "endpointUrl": record["endpoint"],
            "instances": [f"i-{part}"],
            "launchConfigurations": [],
            "loadBalancers": [f"awseb-{record['id']}"],
            "platformArn": platform_arn(service.region, record["stack"]),
            "queues": [],
            "region": service.region,
            "solutionStackName": record["stack"],
            "tagsAll": tags_of(self.cloud, inputs),
            "triggers": [],
        }

    def _wait(self, service: Beanstalk, record: Record, inputs: Properties, doing: str, since: float) -> None:
        """Wait as the real provider does: until the environment is Ready, and no event tells of an error.

        Raises:
            Unready: it is not, in time; or it is, with errors.

        """
        timeout = go_text.seconds(inputs.get("waitForReadyTimeout") or _TIMEOUT) or 0.0
        found = self._await_ready(service, record, min(timeout, _LONGEST))
        outputs = self._outputs(service, found, inputs)
        known = f"Elastic Beanstalk Environment ({record['id']})"
        if found["status"] != "Ready":
            why = f"timeout while waiting for state to become 'Ready' (last state: '{found['status']}', "
            "timeout: "
            why = (
                "context canceled" if self.cloud.cancelled.is_set() else f"{why}{go_text.duration(timeout)})"
            )
            raise Unready(record["id"], outputs, [f"waiting for {known} {doing}: {why}"])
        errors = [
            f"{go_text.timestamp(event['date'])}: {event['message']}"
            for event in reversed(service.events())
            if event["id"] == record["id"] and event["severity"] == "ERROR" and event["date"] >= since
        ]
        if errors:
            verb = {"create": "creating", "update": "updating"}[doing]
            raise Unready(record["id"], outputs, [f"{verb} {known}: " + "\n".join(errors)])

    def _await_ready(self, service: Beanstalk, record: Record, limit: float) -> Record:
        end = monotonic() + limit
        while True:
            found = service.environment(record["id"])
            found = resumed(service, launching.settled(service, found))
            if found["status"] in ("Ready", "Terminated") or monotonic() > end:
                return found
            if self.cloud.cancelled.wait(_POLL):
                return found

    def _wait_if_throttled(self, name: str) -> None:
        """Lose the time that the real provider's own retries take; it does not show them."""
        if self.cloud.faults.strikes_first("throttle", name):
            Event().wait(_THROTTLED)


def solution_stack(cloud: Cloud, arguments: Properties) -> Mapping[str, Any]:
    """`aws:elasticbeanstalk/getSolutionStack:getSolutionStack`."""
    region, pattern = region_of(cloud, arguments), arguments["nameRegex"]
    found = [stack for stack in SOLUTION_STACKS if re.search(pattern, stack)]
    if not found:
        raise CloudError("Your query returned no results. Please change your search criteria and try again.")
    if len(found) > 1 and not arguments.get("mostRecent"):
        raise CloudError(
            "Your query returned more than one result. Please try a more specific search criteria, or set "
            "`most_recent` "
            "attribute to true."
        )
    return {**arguments, "id": found[0], "name": found[0], "region": region}


def _wanted(service: Beanstalk, inputs: Properties) -> dict[str, Any]:
    stack = inputs.get("solutionStackName") or next(
        (one for one in SOLUTION_STACKS if platform_arn(service.region, one) == inputs.get("platformArn")), ""
    )
    return {
        "application": inputs["application"],
        "version": inputs.get("version") or "",
        "stack": stack,
        "settings": [{**one} for one in inputs.get("settings") or ()],
        "description": inputs.get("description") or "",
        "tier": inputs.get("tier") or "WebServer",
    }


def _is_known(inputs: Properties, name: str) -> bool:
    return inputs.get(name) not in (None, UNKNOWN)


def _duration(inputs: Properties, name: str) -> Failure | None:
    if not _is_known(inputs, name) or go_text.seconds(inputs[name]) is not None:
        return None
    called = {"waitForReadyTimeout": "wait_for_ready_timeout", "pollInterval": "poll_interval"}[name]
    reason = f'"{called}" cannot be parsed as a duration: time: invalid duration "{inputs[name]}"'
    return Failure(name, reason)


KINDS = (Application, ApplicationVersion, Environment)
FUNCTIONS = {"aws:elasticbeanstalk/getSolutionStack:getSolutionStack": solution_stack}
