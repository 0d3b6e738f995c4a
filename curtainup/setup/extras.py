"""The SDKs that a target needs. They are extras of the package, so you install only those that you need."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from curtainup.errors import SetupError


@dataclass(frozen=True)
class Extra:
    """An extra of the package.

    Attributes:
        name: the name in brackets, as in `curtainup[gcp]`.
        target: the target that needs it.
        modules: the distribution that contains each module, by module.

    """

    name: str
    target: str
    modules: dict[str, str]


GCP = Extra("gcp", "gcp-cloud-run", {"pulumi_gcp": "pulumi-gcp", "google.auth": "google-auth"})
AWS = Extra("aws", "aws-beanstalk", {"pulumi_aws": "pulumi-aws", "boto3": "boto3"})
KUBERNETES = Extra(
    "kubernetes", "kubernetes", {"pulumi_kubernetes": "pulumi-kubernetes", "kubernetes": "kubernetes"}
)

GKE = Extra("gcp,kubernetes", "gke", {**GCP.modules, **KUBERNETES.modules})


def require(extra: Extra | None) -> None:
    """Check that the SDKs of an extra, if there is one, are installed, without importing them.

    Raises:
        SetupError: one is missing.

    """
    if extra is None:
        return
    absent = [name for module, name in extra.modules.items() if not _is_there(module)]
    if absent:
        are = "are" if len(absent) > 1 else "is"
        raise SetupError(
            f"{extra.target} needs {' and '.join(absent)}, which {are} not installed",
            where="the Python environment of curtainup",
            consequence="nothing was done",
            fix=f"pip install 'curtainup[{extra.name}]'",
        )


def versions(extra: Extra) -> dict[str, str]:
    """Return the installed versions by distribution; all of them must be installed."""
    return {name: metadata.version(name) for name in extra.modules.values()}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
