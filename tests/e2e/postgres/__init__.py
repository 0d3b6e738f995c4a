"""An image with PostgreSQL, made from Debian's packages: no registry is reached where tests run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import ImageNotFound
from filelock import FileLock

from curtainup.setup import paths
from curtainup.setup.base_images import building, images
from curtainup.setup.base_images.catalogue import REFERENCES

HERE = Path(__file__).parent
REFERENCE = "curtainup-test/postgres:1"
"""The tag of the image; increase it with every change of the files here."""


def image(client: docker.DockerClient, report: Callable[[str], None] = print) -> str:
    """Return the image, which is made once on each Docker engine."""
    lock = paths.cache_dir() / "tests" / "postgres.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        try:
            client.images.get(REFERENCE)
        except ImageNotFound:
            images.ensure(client, report)
            files = {"entrypoint.sh": (HERE / "entrypoint.sh").read_bytes()}
            recipe, base = (HERE / "Dockerfile").read_bytes(), REFERENCES["base"]
            building.build(client, recipe, files, tag=REFERENCE, source=base, labels={})
    return REFERENCE
