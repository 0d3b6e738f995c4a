"""An environment of Elastic Beanstalk's stand-in, as the provider offers it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread
from time import monotonic
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.aws.beanstalk import launch as launching
from curtainup.rehearsal.aws.beanstalk import options
from curtainup.rehearsal.aws.beanstalk.state import SOLUTION_STACKS, Beanstalk, now, platform_arn
from curtainup.rehearsal.aws.beanstalk.state import Environment as Record
from curtainup.rehearsal.aws.beanstalk.swap import resumed
from curtainup.rehearsal.aws.common import AwsError, region_of, tags_of, told
from curtainup.rehearsal.gcp import go_text
from curtainup.rehearsal.kind import Failure, Found, Kind, Made, Properties, Unready

_SERVICE = "Elastic Beanstalk"
_TIMEOUT = "20m"
_POLL = 0.05
_LONGEST = 45.0
"""The most seconds that the provider waits for a state; longer timeouts run faster here."""
_RETRY = 0.3
"""How long AWS's SDK waits before it tries again what was one call too many."""


class Environment(Kind):
    """`aws:elasticbeanstalk/environment:Environment`."""

    token = "aws:elasticbeanstalk/environment:Environment"  # noqa: S105
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
    filled = frozenset(["settings.resource", "solutionStackName", "platformArn"])
    sets = frozenset(["settings"])

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

    def told(self, inputs: Properties) -> Properties:
        """Return the inputs with the settings as Beanstalk tells them."""
        given = inputs.get("settings")
        if not isinstance(given, list):
            return inputs
        found = options.told(given)
        if self.cloud.faults.strikes("normalise", inputs["name"]):
            found = [{**one, "resource": ""} for one in reversed(found)]
        return {**inputs, "settings": found}

    def create(self, inputs: Properties) -> Made:
        """Launch the environment, and wait until it is Ready."""
        service, name = self._service(inputs), inputs["name"]
        self._wait_if_throttled(name)
        with told(f"creating Elastic Beanstalk Environment ({name})", _SERVICE, "CreateEnvironment"):
            wanted = _wanted(service, inputs)
            record = launching.accept(
                service, {**wanted, **_told(wanted), "name": name, "prefix": inputs.get("cnamePrefix")}
            )
        work = Thread(target=launching.launch, args=(service, record), name=f"launch {name}")
        work.start()
        if self.cloud.faults.strikes_first("lost-answer", name):
            with told(f"creating Elastic Beanstalk Environment ({name})", _SERVICE, "CreateEnvironment"):
                service.require_names(name, None)  # AWS's SDK asks again, of its own accord
        self._wait(service, record, inputs, "create", record["created"])
        work.join()
        return Made(record["id"], self._outputs(service, service.environment(record["id"]), inputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change what differs, and wait until the environment is Ready."""
        service = self._service(inputs)
        self._wait_if_throttled(inputs["name"])
        with told(f"updating Elastic Beanstalk Environment ({id})", _SERVICE, "UpdateEnvironment"):
            record = resumed(service, launching.settled(service, service.environment(id)))
            wanted = _wanted(service, inputs)
            changes = {name: wanted[name] for name in wanted if wanted[name] != record[name]}
            if changes:
                began = record["updated"]
                launching.update(service, record, {**changes, **_told(changes)})
                self._wait(service, record, inputs, "update", began)
        return self._outputs(service, service.environment(id), inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the environment as it is: a swap may have moved its name, and it may be terminated."""
        service = self._service(outputs)
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
        """Terminate the environment, once it is Ready."""
        service = self._service(outputs)
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
        """Wait as the real provider does: until the environment is Ready and no event reports an error.

        Raises:
            Unready: the environment is not Ready in time, or it is Ready with errors.

        """
        timeout = go_text.seconds(inputs.get("waitForReadyTimeout") or _TIMEOUT) or 0.0
        found = self._await_ready(service, record, min(timeout, _LONGEST), given_up=launching.STUCK / 2)
        outputs = self._outputs(service, found, inputs)
        known = f"Elastic Beanstalk Environment ({record['id']})"
        if found["status"] != "Ready":
            last = f"last state: '{found['status']}', timeout: {go_text.duration(timeout)}"
            why = f"timeout while waiting for state to become 'Ready' ({last})"
            why = "context canceled" if self.cloud.cancelled.is_set() else why
            raise Unready(record["id"], outputs, [f"waiting for {known} {doing}: {why}"])
        errors = [
            f"{go_text.timestamp(event['date'])}: {event['message']}"
            for event in reversed(service.events())
            if event["id"] == record["id"] and event["severity"] == "ERROR" and event["date"] >= since
        ]
        if errors:
            verb = {"create": "creating", "update": "updating"}[doing]
            raise Unready(record["id"], outputs, [f"{verb} {known}: " + "\n".join(errors)])

    def _await_ready(
        self, service: Beanstalk, record: Record, limit: float, given_up: float | None = None
    ) -> Record:
        """Wait so many seconds at most; give up a stuck environment `given_up` before Beanstalk does so."""
        end = monotonic() + limit
        while True:
            found = service.environment(record["id"])
            found = resumed(service, launching.settled(service, found))
            if found["status"] in ("Ready", "Terminated") or monotonic() > end:
                return found
            if given_up and found.get("stuck_until") and found["stuck_until"] - now() < given_up:
                return found
            if self.cloud.cancelled.wait(_POLL):
                return found

    def _wait_if_throttled(self, name: str) -> None:
        """Wait while a call is one too many: AWS's SDK tries again, and the provider does not show it."""
        while self.cloud.faults.throttles(name) and not self.cloud.cancelled.wait(_RETRY):
            pass

    def _service(self, properties: Properties) -> Beanstalk:
        return Beanstalk(self.cloud, region_of(self.cloud, properties))


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


def _told(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"settings": options.told(wanted["settings"])} if "settings" in wanted else {}


def _is_known(inputs: Properties, name: str) -> bool:
    return inputs.get(name) not in (None, UNKNOWN)


def _duration(inputs: Properties, name: str) -> Failure | None:
    if not _is_known(inputs, name) or go_text.seconds(inputs[name]) is not None:
        return None
    called = {"waitForReadyTimeout": "wait_for_ready_timeout", "pollInterval": "poll_interval"}[name]
    reason = f'"{called}" cannot be parsed as a duration: time: invalid duration "{inputs[name]}"'
    return Failure(name, reason)
