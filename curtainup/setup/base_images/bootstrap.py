"""Makes a Debian image with Python from Debian packages, for machines that reach no registry."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import docker
from docker.errors import DockerException

from curtainup.errors import SetupError
from curtainup.setup import debian
from curtainup.setup.process import Report, run

PACKAGES = ("ca-certificates", "python-is-python3", "python3", "python3-pip", "python3-venv")

LIMIT = 900.0
"""Seconds that the bootstrap may take. On two cores and with a fast mirror it takes 20."""


def debian_image(client: docker.DockerClient, reference: str, report: Report) -> None:
    """Bootstrap Debian into an image in which `pip install` works, as it does in the public Python image.

    Raises:
        SetupError: mmdebstrap is missing and curtainup cannot install it here, or it failed.

    """
    if shutil.which("mmdebstrap") is None:
        if not debian.can_install():
            raise SetupError(
                "cannot reach an image registry, nor build a base image because mmdebstrap is missing",
                consequence="nothing can be deployed to a Docker host",
                fix="sudo apt-get install mmdebstrap, or set CURTAINUP_IMAGES_FROM to another registry",
            )
        debian.install(["mmdebstrap"], report)
    repository, tag = reference.split(":")
    with tempfile.TemporaryDirectory(prefix="curtainup-") as folder:
        archive = Path(folder) / "debian.tar"
        run(command(archive, debian.sources()), "bootstrapping Debian", report, timeout=LIMIT)
        report("importing it into the Docker engine")
        try:
            with archive.open("rb") as stream:
                client.api.import_image_from_data(stream, repository, tag, changes=['CMD ["python3"]'])
        except (DockerException, OSError) as error:
            raise SetupError("the Docker engine rejected the Debian image", detail=str(error)) from error


def command(archive: Path, sources: list[Path]) -> list[str | Path]:
    """Return the call of mmdebstrap that writes `archive` from these package sources, or its defaults.

    The call removes PEP 668's marker: like the public image, an image of one service needs no virtual
    environment.
    """
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        '--customize-hook=rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        debian.SUITE,
        archive,
        *sources,
    ]
