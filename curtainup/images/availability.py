"""Whether what a release needs to come back is still there: its container, or the image it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.errors import AGAIN, SetupError, UnknownRelease
from curtainup.images import registry as registries
from curtainup.images import stack as image_stack
from curtainup.model.release import Release
from curtainup.session import Session

if TYPE_CHECKING:
    pass


def require_image(session: Session, one: Release) -> None:
    """Check that its registry gives the image of a release that is to be made again.

    Where that cannot be asked nothing is said: making it again will tell.

    Raises:
        UnknownRelease: the registry does not have it any more.

    """
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    registry = image_stack.registry(session)
    if registry is None or not one.image.startswith(f"{registry.host}/"):
        return
    login = registries.login(session, registry)
    given = dict(zip(("username", "password"), login, strict=True)) if login else None
    try:
        session.accounts.docker.api.inspect_distribution(one.image, given)  # type: ignore[no-untyped-call]
    except NotFound as error:
        raise UnknownRelease(
            f"the image of {one.version} is gone from its registry",
            where=one.image,
            consequence="it cannot be made again; traffic has not moved",
            fix=AGAIN,
            detail=str(error),
        ) from error
    except (DockerException, RequestException, SetupError):
        return
