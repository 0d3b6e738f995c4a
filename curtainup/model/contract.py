"""What the driver writes into stack configuration for the program to read, besides the releases.

These models and `curtainup.model.release` are all that the two halves share. Everything that the program
needs is in them: it never looks at `pym-config.yaml`, so a hand-run `pulumi up` on a fresh checkout
renders what was deployed and nothing else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, TypeAdapter


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegistrySettings(_Model):
    """Where images are pushed.

    Attributes:
        kind: `local` is a registry that curtainup runs, `given` one that is there; the others are the
            clouds' own, where the repository is made.
        host: as it begins an image's name, `127.0.0.1:PORT` for the local registry.
        local_port: the loopback port of the registry that curtainup runs.
        image: the image of the local registry.
        project: the Google Cloud project of an Artifact Registry.
        region: of a cloud's registry.
        profile: the AWS profile of an ECR registry; None is that of the deployer's environment.

    """

    kind: Literal["local", "given", "artifact-registry", "ecr"] = "given"
    host: str
    local_port: int | None = None
    image: str = ""
    project: str = ""
    region: str = ""
    profile: str | None = None


class ImageSettings(_Model):
    """What the image is built from.

    Attributes:
        service: the service's name.
        repository: the image's name without tag or digest.
        version: its tag, and its label `org.opencontainers.image.version`.
        revision: the commit it was built from.
        source: where that commit is to be found, for the label; may be empty.
        tree: hash of everything that the build reads; another one means another build.
        context: folder of the build context on this machine.
        dockerfile: the Dockerfile, relative to the context.
        log: file that the build's output goes to.
        base: given to a Dockerfile of the service's own as CURTAINUP_BASE, when it asks for it.
        push: whether the image is in the registry.
        rehearsal: the key of the rehearsal that it is built for; empty for a deployment.

    """

    service: str
    repository: str
    version: str
    revision: str
    source: str = ""
    tree: str
    context: str
    dockerfile: str
    log: str
    base: str | None = None
    push: bool = False
    rehearsal: str = ""


class EnvironmentSettings(_Model):
    """What belongs to an environment on any target, and to none of its releases.

    Attributes:
        service: the service's name.
        name: `staging`, `live` or a review environment.
        generation: rises with every change; an older one than deployed is refused.
        ttl: seconds after its last update for which a review environment lives; None is for ever.

    """

    service: str
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    generation: int = 0
    ttl: int | None = None

    @property
    def is_disposable(self) -> bool:
        """Whether nothing is lost if what serves there goes by mistake."""
        return self.name == "staging" or self.name.startswith("review-")


class DockerEnvironment(EnvironmentSettings):
    """An environment on a Docker host.

    Attributes:
        target: the kind of place that it is on.
        host: how users reach it, for its URL.
        bind: the address that its port is published on.
        port: the port that users reach.
        stats_port: a port on the loopback interface where the proxy tells its state.
        subnet: the environment's own network, in CIDR notation.
        proxy_image: the image of the proxy.
        request_timeout: seconds that the proxy waits for a release's answer.
        drain_timeout: seconds that a release's last requests may take before it is removed.

    """

    target: Literal["docker"] = "docker"
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    stats_port: int = Field(ge=1, le=65535)
    subnet: str
    proxy_image: str
    request_timeout: int = Field(ge=1)
    drain_timeout: int = Field(ge=0)

    @property
    def url(self) -> str:
        """Where users reach the environment."""
        return f"http://{self.host}:{self.port}"


class CloudRunEnvironment(EnvironmentSettings):
    """An environment on Cloud Run: one service, with a revision per release.

    Attributes:
        target: the kind of place that it is on.
        project: the Google Cloud project's id.
        region: such as `europe-west1`.
        min_instances: containers that wait for requests, and are billed, however few there are.
        max_instances: most containers at once.
        ready_timeout: seconds that Cloud Run may take to make a change real.
        tasks: whether there are tasks to be run, for which each release has a job.

    """

    target: Literal["gcp-cloud-run"] = "gcp-cloud-run"
    project: str
    region: str
    min_instances: int = Field(ge=0)
    max_instances: int = Field(ge=1)
    ready_timeout: int = Field(ge=1)
    tasks: bool = False


class BeanstalkEnvironment(EnvironmentSettings):
    """An environment on Elastic Beanstalk: a Beanstalk environment per release, and a name that moves.

    Attributes:
        target: the kind of place that it is on.
        region: such as `eu-west-1`.
        profile: the AWS profile to work with; None is that of the deployer's environment.
        cname_prefix: of the name that users reach, `PREFIX.REGION.elasticbeanstalk.com`.
        live_host: the public host, when there is one.
        cert_arn: the certificate of the HTTPS listener; None is plain HTTP.
        zone_id: the Route 53 zone in which `live_host` gets its record; None makes none.
        hosts_min: fewest machines of each release.
        hosts_max: most machines of each release.
        ready_timeout: seconds that Beanstalk may take to make an environment ready.
        tasks: whether there are tasks to be run, for which Systems Manager must know the machines.

    """

    target: Literal["aws-beanstalk"] = "aws-beanstalk"
    region: str
    profile: str | None = None
    cname_prefix: str
    live_host: str | None = None
    cert_arn: str | None = None
    zone_id: str | None = None
    hosts_min: int = Field(ge=1)
    hosts_max: int = Field(ge=1)
    ready_timeout: int = Field(ge=1)
    tasks: bool = False


AnyEnvironment = Annotated[
    DockerEnvironment | CloudRunEnvironment | BeanstalkEnvironment, Discriminator("target")
]
"""An environment's settings on whichever target it is."""

_ENVIRONMENT: TypeAdapter[AnyEnvironment] = TypeAdapter(AnyEnvironment)


def environment_settings(document: Any) -> AnyEnvironment:
    """Read an environment's settings from stack configuration.

    Raises:
        pydantic.ValidationError: they were edited into something that is none.

    """
    return _ENVIRONMENT.validate_python(document)
