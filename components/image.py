"""The image of a service: built once, known by its digest."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.registry import Registry
from curtainup.model.contract import BuildSettings, ImageSettings


@dataclass(frozen=True)
class ContainerImageArgs:
    """What the image is built from, and the registry it is pushed to."""

    settings: ImageSettings
    registry: Registry


class ContainerImage(pulumi.ComponentResource):
    """An image built from a prepared context and, when asked, pushed.

    It does not prepare the context and never removes an image: releases run from them.

    Attributes:
        image_id: the config digest, `sha256:…`, which the local gate proves.
        reference: `repository@sha256:…` by manifest digest once pushed, else an empty string.

    """

    image_id: pulumi.Output[str]
    reference: pulumi.Output[str]

    def __init__(
        self, name: str, args: ContainerImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("curtainup:image:ContainerImage", name, None, opts)
        image = self._create_image(name, args.settings)
        self.image_id = image.image_id
        self.reference = pulumi.Output.from_input("")
        if args.settings.push:
            pushed = self._create_push(name, args, image)
            self.reference = pulumi.Output.concat(args.settings.repository, "@", pushed.sha256_digest)
        self.register_outputs({"image_id": self.image_id, "reference": self.reference})

    def _create_image(self, name: str, settings: ImageSettings) -> docker.RemoteImage:
        named = {
            "org.opencontainers.image.version": settings.version,
            "org.opencontainers.image.revision": settings.revision,
            "org.opencontainers.image.source": settings.source,
            "org.opencontainers.image.title": settings.service,
            "curtainup.service": settings.service,
            "curtainup.rehearsal": settings.rehearsal,
        }
        oci = {key: value for key, value in named.items() if value}
        return docker.RemoteImage(
            f"{name}-build",
            docker.RemoteImageArgs(
                name=f"{settings.repository}:{settings.version}",
                build=_build(settings, oci),
                triggers={"tree": settings.tree},
                keep_locally=True,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_push(
        self, name: str, args: ContainerImageArgs, image: docker.RemoteImage
    ) -> docker.RegistryImage:
        return docker.RegistryImage(
            f"{name}-push",
            docker.RegistryImageArgs(name=image.name, keep_remotely=True, triggers={"image": image.image_id}),
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.registry.ready),
        )


def _build(settings: ImageSettings, labels: dict[str, str]) -> docker.RemoteImageBuildArgs:
    """Return how to build. The values of secrets are in the environment of the provider, and nowhere else."""
    how = settings.how or BuildSettings()
    args = {**({"CURTAINUP_BASE": settings.base} if settings.base else {}), **how.args}
    cached = how.cache is not None
    return docker.RemoteImageBuildArgs(
        context=settings.context,
        dockerfile=settings.dockerfile,
        build_log_file=settings.log,
        build_args=args or None,
        target=how.target,
        platform=how.platform,
        secrets=[docker.RemoteImageBuildSecretArgs(id=name, env=name) for name in how.secrets] or None,
        cache_froms=[f"type=registry,ref={reference}" for reference in how.cache or ()] or None,
        cache_tos=["type=inline"] if cached else None,  # all that a Docker engine's own builder can write
        label=labels,  # heeded by BuildKit
        labels=labels,  # heeded by the classic builder
    )
