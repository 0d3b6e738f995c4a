"""The SDKs that a target needs, which are extras of the package: whoever deploys elsewhere goes without."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from curtainup.errors import SetupError


@dataclass(frozen=True)
class Extra:
    """An extra of the package.

    Attributes:
        name: as it stands in brackets.
        modules: by module, the distribution that brings it.

    """

    name: str
    modules: dict[str, str]


GCP = Extra("gcp", {"pulumi_gcp": "pulumi-gcp", "google.auth": "google-auth"})
AWS = Extra("aws", {"pulumi_aws": "pulumi-aws", "boto3": "boto3"})
EXTRAS = {"gcp-cloud-run": GCP, "aws-beanstalk": AWS}
"""By target."""


def require(target: str) -> None:
    """Check that what a target needs is installed; nothing of it is imported.

    Raises:
        SetupError: it is not.

    """
    extra = EXTRAS.get(target)
    absent = [name for module, name in extra.modules.items() if not _is_there(module)] if extra else []
    if extra is None or not absent:
        return
    raise SetupError(
        f"{' and '.join(absent)} {'are' if len(absent) > 1 else 'is'} not installed, which {target} needs",
        where="the Python environment of curtainup",
        consequence="nothing was done",
        fix=f"pip install 'curtainup[{extra.name}]'",
    )


def versions(extra: Extra) -> dict[str, str]:
    """Return the installed versions by distribution; they must be there."""
    return {name: metadata.version(name) for name in extra.modules.values()}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False
