"""Elastic Beanstalk's stand-in, as the provider offers it: applications, versions and environments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.aws import s3
from curtainup.rehearsal.aws.beanstalk_environment import Environment
from curtainup.rehearsal.aws.beanstalk_state import SOLUTION_STACKS, Beanstalk
from curtainup.rehearsal.aws.common import AwsError, arn, region_of, tags_of, told
from curtainup.rehearsal.kind import Cloud, CloudError, Found, Kind, Made, Properties

_SERVICE = "Elastic Beanstalk"


class _Kind(Kind):
    def service(self, properties: Properties) -> Beanstalk:
        """Return Beanstalk in the resource's region."""
        return Beanstalk(self.cloud, region_of(self.cloud, properties))


class Application(_Kind):
    """`aws:elasticbeanstalk/application:Application`."""

    token = "aws:elasticbeanstalk/application:Application"  # noqa: S105
    named_by = "name"
    replaced_by = frozenset({"name", "region"})
    computed = ("arn", "tagsAll")

    def create(self, inputs: Properties) -> Made:
        """Create the resource."""
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
        """Change the description and tags."""
        service = self.service(inputs)
        with service.state() as state:
            state["applications"].setdefault(id, {})["description"] = inputs.get("description") or ""
        return self._outputs(id, service, inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        return Found(outputs=outputs) if self.service(outputs).application(id) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the application, unless it has environments."""
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

    token = "aws:elasticbeanstalk/applicationVersion:ApplicationVersion"  # noqa: S105
    named_by = "name"
    replaced_by = frozenset({"application", "bucket", "key", "name", "region"})
    computed = ("arn", "tagsAll")

    def create(self, inputs: Properties) -> Made:
        """Create the version from a bundle in S3."""
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
        """Change the description and tags."""
        service = self.service(inputs)
        with service.state() as state:
            version = state["versions"].setdefault(f"{inputs['application']}/{id}", {})
            version["description"] = inputs.get("description") or ""
        return self._outputs(id, service, inputs)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        found = self.service(outputs).version(outputs["application"], id)
        return Found(outputs=outputs) if found else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the version, unless an environment runs it."""
        service, application = self.service(outputs), outputs["application"]
        users = [
            one["id"]
            for one in service.environments()
            if (one["application"], one["version"]) == (application, id)
        ]
        if users and not outputs.get("forceDelete"):
            raise CloudError(
                f"deleting Elastic Beanstalk Application Version ({id}): Unable to delete Application "
                f"Version, it is currently in use by the following environments: {', '.join(users)}."
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


def solution_stack(cloud: Cloud, arguments: Properties) -> Mapping[str, Any]:
    """`aws:elasticbeanstalk/getSolutionStack:getSolutionStack`."""
    region, pattern = region_of(cloud, arguments), arguments["nameRegex"]
    found = [stack for stack in SOLUTION_STACKS if re.search(pattern, stack)]
    if not found:
        raise CloudError("Your query returned no results. Please change your search criteria and try again.")
    if len(found) > 1 and not arguments.get("mostRecent"):
        raise CloudError(
            "Your query returned more than one result. Please try a more specific search criteria, or set "
            "`most_recent` attribute to true."
        )
    return {**arguments, "id": found[0], "name": found[0], "region": region}


KINDS = (Application, ApplicationVersion, Environment)
FUNCTIONS = {"aws:elasticbeanstalk/getSolutionStack:getSolutionStack": solution_stack}
