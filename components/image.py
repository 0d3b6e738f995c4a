"""The image of a service: built once, known by its digest."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.registry import Registry
from curtainup.model.contract import ImageSettings


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
                build=docker.RemoteImageBuildArgs(
                    context=settings.context,
                    dockerfile=settings.dockerfile,
                    build_log_file=settings.log,
                    build_args={"CURTAINUP_BASE": settings.base} if settings.base else None,
                    label=oci,  # heeded by BuildKit
                    labels=oci,  # heeded by the classic builder
                ),
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
