"""What the driver writes into stack configuration for the program to read, besides the releases.

These models and `curtainup.model.release` are all that the two halves share. Everything that the program
needs is in them: it never looks at `pym-config.yaml`, so a hand-run `pulumi up` on a fresh checkout
renders what was deployed and nothing else.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class RegistrySettings(_Model):
    """Where images are pushed.

    Attributes:
        kind: `local` is a registry that curtainup runs, `given` one that is there; the others are the
            clouds' own, where the repository is made.
        host: as it begins an image's name, `127.0.0.1:PORT` for the local registry.
        local_port: the loopback port of the registry that curtainup runs.
        image: the image of the local registry.
        subnet: the local registry's own network, in CIDR notation; empty only in what an older version wrote.
        folder: where the image of the local registry keeps images; the default is that of an older image.
        project: the Google Cloud project of an Artifact Registry.
        region: of a cloud's registry.
        profile: the AWS profile of an ECR registry; None is that of the deployer's environment.
        state: a random name, a label of what the local registry is made of; another state has another one.
        engine: the id of the local registry's Docker engine, where that is another machine's.

    """

    kind: str = "given"
    host: str
    local_port: int | None = None
    image: str = ""
    subnet: str = ""
    folder: str = "/var/lib/registry"
    project: str = ""
    region: str = ""
    profile: str | None = None
    state: str = ""
    engine: str = ""


class BuildSettings(_Model):
    """How the image is built, where its service says so.

    Attributes:
        target: the stage of the Dockerfile; None for the last one.
        platform: as `linux/amd64`; None for that of the Docker engine.
        args: build arguments.
        secrets: names of environment variables. The build gets each as a secret under its name, and the
            values are in the environment of the program's engine alone.
        cache: images, by digest, whose layers may be taken; None for no cache in the registry. The image
            then also tells later builds which layers they can take from it.

    """

    target: str | None = None
    platform: str | None = None
    args: dict[str, str] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    cache: tuple[str, ...] | None = None


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
        build: whether the image is built; else there is only its registry, which is on another engine.
        push: whether the image is in the registry.
        rehearsal: the key of the rehearsal that it is built for; empty for a deployment.
        how: how it is built; None for what every service has, and then it is not written down.

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
    build: bool = True
    push: bool = False
    rehearsal: str = ""
    how: BuildSettings | None = None


class EnvironmentSettings(_Model):
    """What belongs to an environment on any target, and to none of its releases.

    Attributes:
        service: the service's name.
        name: `staging`, `live` or a review environment.
        generation: rises with every change; an older one than deployed is refused.
        ttl: seconds after its last update for which a review environment lives; None is for ever.
        target: the kind of place that it is on, which says what else is known of it.

    """

    service: str
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    generation: int = 0
    ttl: int | None = None
    target: str

    @property
    def is_disposable(self) -> bool:
        """Whether nothing is lost if what serves there goes by mistake."""
        return self.name == "staging" or self.name.startswith("review-")


class _Targeted(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="ignore")

    target: str


def target_of(document: Any) -> str:
    """Return the target that an environment's settings in stack configuration are of.

    Raises:
        pydantic.ValidationError: they name none.

    """
    return _Targeted.model_validate(document).target
