"""Turns the errors of the Docker SDK into errors for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from curtainup.errors import SetupError


@contextmanager
def translated(
    what: str,
    *,
    where: str,
    consequence: str,
    fix: str = "curtainup doctor",
    without_image: str | None = None,
) -> Iterator[None]:
    """Raise a SetupError for an error of the Docker SDK, or of its HTTP client.

    The caller handles errors that mean something else inside the block.

    Args:
        what: the message.
        where: the place of the error, such as a container.
        consequence: what follows from it.
        fix: how to mend it.
        without_image: the message if the Docker engine does not have the image.

    """
    from docker.errors import DockerException, ImageNotFound
    from requests import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        said = without_image if without_image and isinstance(error, ImageNotFound) else what
        raise SetupError(said, where=where, consequence=consequence, fix=fix, detail=str(error)) from error
