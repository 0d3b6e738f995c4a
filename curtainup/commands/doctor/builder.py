"""What the doctor looks at of this machine's Docker engine, where it only builds images."""

from __future__ import annotations

from functools import partial

from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.platforms.docker.hosts import Own
from curtainup.setup import docker_engine, engine
from curtainup.setup.base_images import catalogue, images
from curtainup.setup.process import Report

ENGINE = "Docker engine here"


def pieces(own: Own) -> list[Piece]:
    """Return the engine, and the image that builds begin with."""
    return [
        Piece(ENGINE, partial(_engine, own), partial(_mend_engine, own)),
        Piece("base image here", partial(_image, own), partial(_mend_image, own), needs=ENGINE),
    ]


def _engine(own: Own) -> Found:
    client = docker_engine.connect(own.variables)
    return Found(str(client.version()["Version"]), f"{own.address}, for builds")


def _mend_engine(own: Own, report: Report) -> None:
    docker_engine.ensure(own.variables, report)


def _image(own: Own) -> Found:
    reference = catalogue.REFERENCES["base"]
    if "base" in images.missing(docker_engine.connect(own.variables)):
        raise SetupError(f"{reference} is not on this machine's Docker engine", fix=engine.FIX)
    return Found(reference.rpartition(":")[2], reference)


def _mend_image(own: Own, report: Report) -> None:
    images.ensure(docker_engine.connect(own.variables), report)
