"""What a service has on the Docker host, found by curtainup's labels."""

from __future__ import annotations

from typing import Any

import docker
from docker.models.containers import Container

from curtainup.setup.base_images.catalogue import REGISTRY_FOLDER


class DockerHost:
    """One service's containers, networks, volumes and images."""

    def __init__(self, service: str) -> None:
        self.client = docker.from_env()
        self._service = service

    def containers(self, environment: str | None = None) -> list[str]:
        """Names of the service's containers, running or not, of one environment or of all; sorted."""
        return sorted(str(one.name) for one in self._containers(environment))

    def releases(self, environment: str) -> set[str]:
        """Ids of the releases that have a container in an environment."""
        labels = [one.labels for one in self._containers(environment)]
        return {one["curtainup.release"] for one in labels if "curtainup.release" in one}

    def inspect(self, name: str) -> dict[str, Any]:
        """What Docker knows of a container."""
        found: dict[str, Any] = self.client.api.inspect_container(name)
        return found

    def environment_of(self, name: str) -> dict[str, str]:
        """The variables that a container was given."""
        pairs = (pair.partition("=") for pair in self.inspect(name)["Config"]["Env"])
        return {key: value for key, _, value in pairs}

    def images(self) -> list[str]:
        """Ids of the images that were built for the service."""
        return sorted({str(image.id) for image in self.client.images.list(filters=self._label())})

    def lose_manifest(self, registry: str, image: str) -> None:
        """Take an image, named by its digest, out of the registry that a container is."""
        digest = image.rpartition("sha256:")[2]
        found = f"$(find {REGISTRY_FOLDER} -path '*/revisions/sha256/{digest}' -type d)"
        done = self.client.containers.get(registry).exec_run(["sh", "-c", f"rm -r {found}"])
        assert done.exit_code == 0, done.output

    def everything(self) -> list[str]:
        """What there is of the service, in words and in order: Docker lists networks in any."""
        networks = self.client.networks.list(filters=self._label())
        volumes = self.client.volumes.list(filters=self._label())
        return sorted(
            [
                *(f"container {name}" for name in self.containers()),
                *(f"network {network.name}" for network in networks),
                *(f"volume {volume.name}" for volume in volumes),
                *(f"image {image}" for image in self.images()),
            ]
        )

    def remove_everything(self) -> None:
        """Remove it by force, and let go of the Docker engine."""
        for container in self._containers(None):
            container.remove(force=True, v=True)
        for network in self.client.networks.list(filters=self._label()):
            network.remove()
        for volume in self.client.volumes.list(filters=self._label()):
            volume.remove(force=True)
        for image in self.images():
            self.client.images.remove(image, force=True)
        self.client.close()

    def _containers(self, environment: str | None) -> list[Container]:
        wanted = [f"curtainup.service={self._service}"]
        if environment is not None:
            wanted.append(f"curtainup.environment={environment}")
        found: list[Container] = self.client.containers.list(
            all=True, filters={"label": wanted}, ignore_removed=True
        )
        return found

    def _label(self) -> dict[str, str]:
        return {"label": f"curtainup.service={self._service}"}
