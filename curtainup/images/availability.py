"""Checks whether a release can still come back: whether its container or its image still exists."""

from __future__ import annotations

from curtainup.errors import AGAIN, SetupError, UnknownRelease
from curtainup.images import registry as registries
from curtainup.images import stack as image_stack
from curtainup.model.release import Release
from curtainup.session import Session


def require_image(session: Session, release: Release) -> None:
    """Check that the registry still has the image of a release that curtainup has to create again.

    If the registry does not answer, do nothing: creating the release will show whether the image exists.

    Raises:
        UnknownRelease: the registry no longer has the image.

    """
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    registry = image_stack.registry(session)
    if registry is None or not release.image.startswith(f"{registry.host}/"):
        return
    login = registries.login(session, registry)
    given = dict(zip(("username", "password"), login, strict=True)) if login else None
    try:
        session.accounts.docker.api.inspect_distribution(release.image, given)  # type: ignore[no-untyped-call]
    except NotFound as error:
        raise UnknownRelease(
            f"the image of {release.version} is gone from its registry",
            where=release.image,
            consequence="it cannot be made again; traffic has not moved",
            fix=AGAIN,
            detail=str(error),
        ) from error
    except (DockerException, RequestException, SetupError):
        return
