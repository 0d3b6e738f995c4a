"""What the containers of a release find in their environment, as Docker takes it."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from curtainup.model.release import Release
from curtainup.model.release_settings import variables


def of_release(release: Release, secrets: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[list[str]]:
    """Return the variables of a release."""
    return together(variables(release.settings, release.version), secrets)


def together(plain: Mapping[str, str], secrets: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[list[str]]:
    """Return plain variables and secret ones; secret as a whole if any part is."""
    if not secrets:
        return pairs(plain)
    return pulumi.Output.all(**secrets).apply(lambda values: pairs({**plain, **values}))


def pairs(variables: Mapping[str, str]) -> list[str]:
    """Return variables in the order of their names."""
    return [f"{name}={value}" for name, value in sorted(variables.items())]
