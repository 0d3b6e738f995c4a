"""How a service's review environments may be called, so that every name made of it fits on its target."""

from __future__ import annotations

from curtainup.config import cloud_run_limits, review
from curtainup.config.models import ServiceConfig
from curtainup.errors import RefusedError


def require(config: ServiceConfig, name: str) -> None:
    """Check that the service can have a review environment of that name, on its target.

    Raises:
        RefusedError: it is no name for one; the fix is a name that would do.

    """
    fitting = nearest(config, name)
    if name != fitting:
        raise RefusedError(
            f"{name!r} is not a name for a review environment",
            where="--env",
            consequence="nothing was built or deployed",
            fix=f"--env {fitting}",
        )


def nearest(config: ServiceConfig, name: str) -> str:
    """Return a name that the service can give a review environment: `name` itself, or one like it."""
    return review.nearest(name, _longest(config)) or f"{review.PREFIX}7"


def _longest(config: ServiceConfig) -> int:
    """Return how many characters may follow `review-`."""
    longest = review.LONGEST_ENVIRONMENT - len(review.PREFIX)
    if config.for_environment(review.SECTION).deploy_target != "gcp-cloud-run":
        return longest
    room = cloud_run_limits.SERVICE_NAME_LENGTH - len(f"{config.name}-{review.PREFIX}")
    return max(1, min(longest, room))
