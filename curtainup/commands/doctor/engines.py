"""What the doctor looks at of further Docker engines: the one that builds here, and those of other hosts."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import docker

from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.platforms.docker import supported
from curtainup.platforms.docker.hosts import Host, Own, There
from curtainup.setup import docker_engine, engine
from curtainup.setup.base_images import catalogue, images
from curtainup.setup.process import Report

ENGINE = "Docker engine here"
Connect = Callable[[], docker.DockerClient]


def builder(own: Own) -> list[Piece]:
    """Return this machine's engine, which only builds, and the image that builds begin with."""
    connect = partial(docker_engine.connect, own.variables)
    return [
        Piece(ENGINE, partial(look, connect, f"{own.address}, for builds"), partial(_start, own)),
        Piece("base image here", partial(_images, connect, ("base",)), partial(_make, connect), needs=ENGINE),
    ]


def another(host: Host, own: Own) -> list[Piece]:
    """Return the engine of one more host of the service's environments, and its images.

    Args:
        host: its machine.
        own: this machine, if it is that.

    """
    if isinstance(host, There):
        return _pieces(str(host), partial(_connect_there, host))
    return _pieces("this machine", partial(docker_engine.connect, own.variables), partial(_start, own))


def _pieces(place: str, connect: Connect, start: Callable[[Report], None] | None = None) -> list[Piece]:
    name = f"Docker engine of {place}"
    roles = tuple(catalogue.REFERENCES)
    return [
        Piece(name, partial(look, connect, place), start),
        Piece(f"images of {place}", partial(_images, connect, roles), partial(_make, connect), needs=name),
    ]


def _connect_there(host: There) -> docker.DockerClient:
    from curtainup.platforms.docker import distant

    return distant.connect(host, os.environ)


def look(connect: Connect, place: str) -> Found:
    """Return what an engine says of itself.

    Raises:
        SetupError: it does not answer, or curtainup does not work with it.

    """
    version = connect().version()
    supported.require(version, place)
    return Found(str(version["Version"]), place)


def _start(own: Own, report: Report) -> None:
    docker_engine.ensure(own.variables, report)


def _images(connect: Connect, roles: tuple[str, ...]) -> Found:
    wanted = [catalogue.REFERENCES[role] for role in roles]
    missing = [catalogue.REFERENCES[role] for role in images.missing(connect()) if role in roles]
    if missing:
        raise SetupError(f"{', '.join(missing)}: not on that Docker engine", fix=engine.FIX)
    return Found(None, ", ".join(wanted))


def _make(connect: Connect, report: Report) -> None:
    images.ensure(connect(), report)
