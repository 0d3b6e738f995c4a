"""Rules of the build that concern more than one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.problems import Problem
from curtainup.config.secrets import release_secrets

_LIKE_A_SECRET: Final = re.compile(
    r"(^|_)(token|password|passwd|passphrase|secret|credentials?|(api|access|private|signing)_?key)$",
    re.IGNORECASE,
)

_TOOLS: Final = frozenset({"PATH", "HOME"})
_OF_TOOLS: Final = ("DOCKER_", "BUILDX_", "BUILDKIT_", "PULUMI_")


def mistakes(config: ServiceConfig) -> Iterator[Problem]:
    """Yield arguments that name a secret or are one, and secrets that the tools of a build would heed."""
    if config.build is None:
        return
    for at, name in enumerate(config.build.secrets):
        if name in _TOOLS or name.startswith(_OF_TOOLS):
            yield Problem(
                path=("build", "secrets", at),
                what=f"{name} is a variable of Docker's or Pulumi's",
                consequence="the build could reach another engine, or none",
                fix="give the secret a variable of another name",
            )
    names = {*config.build.secrets, *release_secrets(config)}
    for name, value in config.build.args.items():
        if name in config.build.secrets:
            yield Problem(
                path=("build", "args", name),
                what="is also listed in build.secrets",
                consequence="whoever has the image could read the argument",
                fix="remove it from args",
            )
        elif value in names:
            yield Problem(
                path=("build", "args", name),
                what="is the name of a secret",
                consequence="the build would get the name, not the secret",
                fix="list the secret in build.secrets, and mount it in the Dockerfile: "
                f"RUN --mount=type=secret,id={value}",
            )


def oddities(config: ServiceConfig) -> Iterator[Problem]:
    """Yield arguments that are named as secrets are."""
    if config.build is None:
        return
    for name in config.build.args:
        if _LIKE_A_SECRET.search(name):
            yield Problem(
                path=("build", "args", name),
                what="is named as a secret is",
                consequence="whoever has the image, or this file, can read it",
                fix=f"if it is a secret, list {name} in build.secrets instead, and mount it in the "
                f"Dockerfile: RUN --mount=type=secret,id={name}",
            )


def platform(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Cloud Run starts images for 64-bit x86 alone ("Container runtime contract")."""
    wanted = config.build.platform if config.build else None
    if environment.deploy_target == "gcp-cloud-run" and wanted not in {None, "linux/amd64"}:
        yield Problem(
            path=("build", "platform"),
            what=f"is {wanted}, and Cloud Run runs linux/amd64 alone",
            consequence="Cloud Run would refuse the image",
            fix="write `platform: linux/amd64`",
        )
