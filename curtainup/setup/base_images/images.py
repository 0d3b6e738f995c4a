"""Pulls the images that curtainup builds on; if it reaches no registry, makes them from Debian packages.

Generated Dockerfiles start from `base`; `proxy` moves the traffic; `registry` holds a service's images on one
machine; `DOOR` is made where it is needed. Their tags contain the version of the recipe. So a changed recipe
makes another image, and running containers keep the old one.
"""

from __future__ import annotations

import os

import docker
from docker.errors import DockerException, ImageNotFound

from curtainup.errors import SetupError
from curtainup.setup import trust
from curtainup.setup.base_images import bootstrap, building
from curtainup.setup.base_images.catalogue import RECIPES, REFERENCES, Recipe
from curtainup.setup.process import Report

ROLE_LABEL = "curtainup.role"

DEBIAN = "curtainup/debian"
"""The image that the base image starts from if curtainup reaches no registry."""

PUBLISHER_VARIABLE = "CURTAINUP_IMAGES_FROM"
"""The variable that names a registry (and path), such as a company's mirror, to use instead of Docker Hub."""

REACH_LIMIT = 8
"""Seconds within which a registry must answer what a tag is; otherwise it counts as not reached."""


def missing(client: docker.DockerClient) -> tuple[str, ...]:
    """Return the roles whose image the Docker engine lacks.

    Raises:
        SetupError: the engine does not answer.

    """
    return tuple(recipe.role for recipe in RECIPES if not is_there(client, recipe.reference))


def ensure(client: docker.DockerClient, report: Report, *further: Recipe) -> None:
    """Make the missing images: `base` first, because the others start from it.

    Args:
        client: the Docker engine.
        report: told what is made.
        further: what is made only where it is needed.

    Raises:
        SetupError: curtainup can neither pull nor build an image; the detail is the end of the output.

    """
    for recipe in (*RECIPES, *further):
        if not is_there(client, recipe.reference):
            _make(client, recipe, report)


def _make(client: docker.DockerClient, recipe: Recipe, report: Report) -> None:
    report(f"making the {recipe.role} image")
    public = recipe.public and pulled(client, recipe.public, report)
    source = public or _debian(client, recipe, report)
    context = {name: building.recipe(name) for name in recipe.files}
    if recipe.first:
        context |= _machine(report)
    building.build(
        client,
        building.recipe(recipe.pulled if public else recipe.built),
        context,
        tag=recipe.reference,
        source=source,
        labels={ROLE_LABEL: recipe.role},
    )


def pulled(client: docker.DockerClient, public: str, report: Report) -> str | None:
    """Pull a public image and return its reference; return None if its registry is not reached.

    Raises:
        SetupError: the registry has the image, but it could not be pulled.

    """
    publisher = os.environ.get(PUBLISHER_VARIABLE)
    reference = f"{publisher.rstrip('/')}/{public}" if publisher else public
    patient, client.api.timeout = client.api.timeout, REACH_LIMIT
    try:
        client.images.get_registry_data(reference)
    except (DockerException, OSError):
        report(f"{reference} cannot be pulled: building from Debian packages instead")
        return None
    finally:
        client.api.timeout = patient
    report(f"pulling {reference}")
    try:
        client.images.pull(reference)
    except (DockerException, OSError) as error:
        raise SetupError(
            f"{reference} exists, but could not be pulled", fix="curtainup doctor --fix", detail=str(error)
        ) from error
    return reference


def _debian(client: docker.DockerClient, recipe: Recipe, report: Report) -> str:
    """Return the image that a recipe of Debian packages starts from."""
    if not recipe.first:
        return REFERENCES["base"]
    reference = f"{DEBIAN}:{recipe.version}"
    if not is_there(client, reference):
        bootstrap.debian_image(client, reference, report)
    return reference


def _machine(report: Report) -> dict[str, bytes]:
    """Return this machine's certificates and pip configuration, as files of a build."""
    settings = trust.pip_settings()
    if settings.withheld:
        report(
            f"pip's {', '.join(settings.withheld)} holds a password, so curtainup does not write it into the "
            "base image; a service that needs it must have its own Dockerfile or docker_base"
        )
    extra = trust.certificates(os.environ)
    named = {
        f"certificates/curtainup-{number:03}.crt": f"{pem}\n".encode() for number, pem in enumerate(extra)
    }
    return {"certificates/": b"", "pip.conf": settings.text.encode(), **named}


def is_there(client: docker.DockerClient, reference: str) -> bool:
    """Return whether the Docker engine has an image.

    Raises:
        SetupError: the engine does not answer.

    """
    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    except (DockerException, OSError) as error:
        raise SetupError(
            "the Docker engine does not answer", detail=str(error), fix="curtainup doctor"
        ) from error
    return True
