"""Deploying a version to an environment of Beanstalk's stand-in."""

from __future__ import annotations

from curtainup.platforms.haproxy.config import PORT, Server
from curtainup.rehearsal.aws import beanstalk_options as options
from curtainup.rehearsal.aws import iam, s3, secrets_manager
from curtainup.rehearsal.aws.beanstalk_bundle import BadBundle, Bundle, parse
from curtainup.rehearsal.aws.beanstalk_machines import Check, Machines, NoImage
from curtainup.rehearsal.aws.beanstalk_state import Beanstalk, Environment
from curtainup.rehearsal.aws.common import AwsError

PATIENCE = 30.0
"""Seconds that a container may take to answer before its environment counts as unhealthy."""
_SLOW = 5.0
_NOWHERE = Server("none", "127.0.0.1:1", 100)
_PROFILE = (options.LAUNCH, "IamInstanceProfile")
_UNHEALTHY = (
    "ELB processes are not healthy on all instances.",
    "ELB health is failing or not available for all instances.",
)


class DeploymentFailed(Exception):
    """A version does not run; the text is that of the machine's deployment."""


def deploy(service: Beanstalk, docker: Machines, record: Environment) -> None:
    """Run a version beside the previous one, and point the load balancer to it once it answers.

    Raises:
        DeploymentFailed: the version does not run. On a first launch the load balancer exists even so.

    """
    number = record["round"] + 1
    service.change(record["id"], round=number)
    before, name = (container_name(service, record, str(one)) for one in (number - 1, number))
    target, bundle, trouble, healthy = _NOWHERE, None, None, False
    try:
        bundle = _bundle(service, record)
        address = _start(service, docker, record, bundle, name)
        target = Server(f"i-{number}", f"{address}:{bundle.port}", 100)
        healthy = docker.answers(name, f"http://{target.address}", _check(record), service.cloud, PATIENCE)
        if not healthy and docker.is_down(name):
            raise DeploymentFailed(f"The Docker container unexpectedly ended: {docker.log(name)}")
    except DeploymentFailed as error:
        if number > 1:
            docker.remove([name])
            raise
        trouble = error
    _lead(service, docker, record, target, bundle)
    docker.remove([before])
    service.set_health(record, "Ok" if healthy else "Severe", () if healthy else _UNHEALTHY)
    if trouble:
        raise trouble


def _lead(
    service: Beanstalk, docker: Machines, record: Environment, target: Server, bundle: Bundle | None
) -> None:
    """Point the load balancer to the environment's machine; on a first launch, point the name to it."""
    balancer = container_name(service, record, "lb")
    port = docker.balancer(balancer, target, bundle.release if bundle else None)
    if record["endpoint"]:
        return
    inner = Server(record["id"], f"{docker.address(balancer)}:{PORT}", 100)
    front = docker.balancer(record["front"], inner)
    service.change(
        record["id"], endpoint=f"127.0.0.1:{port}", cname=f"127.0.0.1:{front}", inner=inner.address
    )


def _bundle(service: Beanstalk, record: Environment) -> Bundle:
    version = service.require_version(record["application"], record["version"])
    try:
        return parse(s3.content(service.cloud.home, version["bucket"], version["key"]))
    except (AwsError, BadBundle) as error:
        raise DeploymentFailed(str(error)) from error


def _start(service: Beanstalk, docker: Machines, record: Environment, bundle: Bundle, name: str) -> str:
    faults = service.cloud.faults
    variables = _variables(service, record)
    try:
        docker.pull(bundle.image)
    except NoImage as error:
        raise DeploymentFailed(f"Failed to pull Docker image {bundle.image}: {error}") from error
    if faults.strikes("slow-start", record["name"]):
        service.cloud.cancelled.wait(_SLOW)
    return docker.start(name, bundle.image, variables, crash=faults.strikes("crash", record["name"]))


def _variables(service: Beanstalk, record: Environment) -> dict[str, str]:
    """Return the container's variables, with the secrets that the instance profile allows it to fetch."""
    settings = options.options(record["settings"])
    found = {one.name: one.value for one in settings if one.namespace == options.ENVIRONMENT}
    profile = options.value(settings, *_PROFILE)
    if profile is None:
        raise DeploymentFailed("Environment must have instance profile associated with it.")
    for one in settings:
        if one.namespace == options.SECRETS:
            found[one.name] = _secret(service, profile, one.value)
    return found


def _secret(service: Beanstalk, profile: str, resource: str) -> str:
    home = service.cloud.home
    action = "secretsmanager:GetSecretValue" if ":secretsmanager:" in resource else "ssm:GetParameters"
    if not any(iam.allows(home, profile, one, resource) for one in (action, "ssm:GetParameter")):
        raise DeploymentFailed(
            f"Failed to fetch environment secrets: AccessDeniedException: {profile} is not authorized to "
            f"perform: {action} on resource: {resource} because no identity-based policy allows the "
            f"{action} action"
        )
    held = secrets_manager.value(home, resource)
    if held is None:
        raise DeploymentFailed(
            "Failed to fetch environment secrets: ResourceNotFoundException: Secrets Manager can't find "
            f"the specified secret: {resource}"
        )
    return held


def _check(record: Environment) -> Check:
    settings, process = options.options(record["settings"]), f"{options.PROCESS}default"
    path = options.value(settings, process, "HealthCheckPath")
    old = options.value(settings, "aws:elasticbeanstalk:application", "Application Healthcheck URL")
    return Check(path or old or "/", options.value(settings, process, "MatcherHTTPCode") or "200")


def container_name(service: Beanstalk, record: Environment, part: str) -> str:
    """Return the name of an environment's container; `part` is a machine's number, or `lb`."""
    return service.cloud.home.docker_name("eb", record["id"], part)
