"""Rules that the clouds have in common."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem


def known_region(
    config: ServiceConfig,
    environment: EnvironmentConfig,
    key: str,
    known: Collection[str],
    cloud: str,
    otherwise: str,
) -> Iterator[Problem]:
    """A region, where one is written, is one of the cloud's.

    Args:
        config: of the service.
        environment: one of its environments.
        key: that holds the region.
        known: all regions of the cloud.
        cloud: what it is called.
        otherwise: the fix where no region is near to what is written.

    """
    written = getattr(environment, key)
    if written is None or written in known:
        return
    near = difflib.get_close_matches(written, known, n=3, cutoff=0.7)
    meant = " or ".join(f"`{one}`" for one in near)
    yield Problem(
        path=place(config, environment, key),
        what=f"{written!r} is not a region of {cloud}",
        consequence="curtainup could not deploy there",
        fix=f"did you mean {meant}?" if near else otherwise,
    )


def bounds(config: ServiceConfig, environment: EnvironmentConfig, least: str, most: str) -> Iterator[Problem]:
    """The key `least` is not above the key `most`."""
    low, high = getattr(environment, least), getattr(environment, most)
    if low > high:
        yield Problem(
            path=place(config, environment, least),
            what=f"{low} is more than {most}, which is {high}",
            consequence="the environment could not scale",
            fix=f"raise {most} to {low} or lower {least}",
        )
