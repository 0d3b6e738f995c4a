"""The images that curtainup stands on: pulled where a registry is reached, else built from Debian packages.

`base` is what generated Dockerfiles start from; `proxy` moves the traffic; `registry` holds a service's
images on one machine. They are tagged with the version of their recipe, so that a changed recipe is built
next to the old one, which running containers keep.
"""

from __future__ import annotations

import os

import docker
from docker.errors import DockerException, ImageNotFound

from curtainup.errors import SetupError
from curtainup.setup import bootstrap, building, trust
from curtainup.setup.catalogue import RECIPES, REFERENCES, Recipe
from curtainup.setup.process import Report

ROLE_LABEL = "curtainup.role"

DEBIAN = "curtainup/debian"
"""What the base image starts from where no registry is reached."""

PUBLISHER_VARIABLE = "CURTAINUP_IMAGES_FROM"
"""Names a registry (and path) to pull public images from instead of Docker Hub: a company's mirror."""

REACH_LIMIT = 8
"""Seconds in which a registry answers what a tag is; else it counts as not reached."""


def missing(client: docker.DockerClient) -> tuple[str, ...]:
    """Return the roles whose image the engine does not have.

    Raises:
        SetupError: the engine does not answer.

    """
    return tuple(recipe.role for recipe in RECIPES if not _is_there(client, recipe.reference))


def ensure(client: docker.DockerClient, report: Report) -> None:
    """Make the images that are missing: `base` first, as the others start from it.

    Raises:
        SetupError: an image can neither be pulled nor built; the detail is the end of what failed.

    """
    absent = missing(client)
    for recipe in RECIPES:
        if recipe.role in absent:
            _make(client, recipe, report)


def _make(client: docker.DockerClient, recipe: Recipe, report: Report) -> None:
    report(f"making the {recipe.role} image")
    public = recipe.public and _pull(client, recipe.public, report)
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


def _pull(client: docker.DockerClient, public: str, report: Report) -> str | None:
    """Pull a public image and return its reference; None when its registry is not reached."""
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
            f"{reference} was found and could not be pulled", fix="curtainup doctor --fix", detail=str(error)
        ) from error
    return reference


def _debian(client: docker.DockerClient, recipe: Recipe, report: Report) -> str:
    """Return the image that a recipe of Debian packages starts from."""
    if not recipe.first:
        return REFERENCES["base"]
    reference = f"{DEBIAN}:{recipe.version}"
    if not _is_there(client, reference):
        bootstrap.debian_image(client, reference, report)
    return reference


def _machine(report: Report) -> dict[str, bytes]:
    """Return this machine's certificates and pip configuration, as files of a build."""
    settings = trust.pip_settings()
    if settings.withheld:
        report(
            f"pip's {', '.join(settings.withheld)} holds a password and is not written into the base image: "
            "a service that needs it has its own Dockerfile or docker_base"
        )
    extra = trust.certificates(os.environ)
    named = {
        f"certificates/curtainup-{number:03}.crt": f"{pem}\n".encode() for number, pem in enumerate(extra)
    }
    return {"certificates/": b"", "pip.conf": settings.text.encode(), **named}


def _is_there(client: docker.DockerClient, reference: str) -> bool:
    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    except (DockerException, OSError) as error:
        raise SetupError(
            "the Docker engine does not answer", detail=str(error), fix="curtainup doctor"
        ) from error
    return True
