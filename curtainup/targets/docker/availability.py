"""Whether the container of a release, or the image that it is made from, is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.errors import AGAIN, UnknownRelease
from curtainup.model.release import Release
from curtainup.platforms.docker import errors

if TYPE_CHECKING:
    from docker import APIClient


def require_container(api: APIClient, stack: str, release: Release) -> None:
    """Check that a release's container exists, running or not.

    Raises:
        UnknownRelease: it is gone; the fix depends on whether its image is, too.
        SetupError: the Docker engine does not answer.

    """
    from docker.errors import NotFound

    name = f"{stack}-{release.id}"
    with errors.translated(
        "the Docker engine does not answer", where=f"container {name}", consequence="traffic has not moved"
    ):
        try:
            api.inspect_container(name)
        except NotFound:
            raise _lost(api, stack, release) from None


def _lost(api: APIClient, stack: str, release: Release) -> UnknownRelease:
    why = _image_is_gone(api, release.image)
    if why is None:
        return UnknownRelease(
            f"the container of {release.version} is gone",
            where=f"container {stack}-{release.id}",
            consequence="traffic has not moved",
            fix=f"curtainup pulumi up --refresh --stack {stack} makes it again; then run this command again",
        )
    return UnknownRelease(
        f"the container of {release.version} is gone, and so is its image",
        where=f"container {stack}-{release.id}, image {release.image}",
        consequence="it cannot be made again; traffic has not moved",
        fix=AGAIN,
        detail=why,
    )


def _image_is_gone(api: APIClient, image: str) -> str | None:
    """Return why neither the engine has an image nor its registry gives it; None when one of them does."""
    from docker.errors import APIError, DockerException
    from requests import RequestException

    try:
        api.inspect_image(image)  # type: ignore[no-untyped-call]
    except APIError:
        try:
            api.inspect_distribution(image)  # type: ignore[no-untyped-call]
        except (DockerException, RequestException) as error:
            return str(error)
    return None
