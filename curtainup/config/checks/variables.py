"""Sizes of variables that the kernel or a cloud would refuse when the container starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem

KERNEL_SIZE: Final = 128 * 1024
"""Bytes of one variable with its name, `=` and the byte that ends it (MAX_ARG_STRLEN in execve(2))."""
KERNEL_TOTAL: Final = 2 * 1024 * 1024
"""Bytes of all variables and arguments: a quarter of the usual 8 MiB of stack (execve(2))."""
CLOUD_RUN_SIZE: Final = 32 * 1024
"""Bytes of one variable ("Quotas and limits" of Cloud Run)."""


def sizes(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Refuse variables of an environment with which no container of it could start."""
    on_cloud_run = environment.deploy_target == "gcp-cloud-run"
    limit, who = (CLOUD_RUN_SIZE, "Cloud Run") if on_cloud_run else (KERNEL_SIZE, "the kernel")
    total = 0
    for name, value in environment.env.items():
        size = len(f"{name}={value}".encode(errors="surrogateescape")) + 1
        total += size
        if size > limit:
            yield Problem(
                path=(*place(config, environment, "env"), name),
                what=f"takes {size} bytes with its name, and {who} allows one variable {limit}",
                consequence="no container of the service could start",
                fix="put the value into a file in the image, and the file's path into the variable",
            )
    if total > KERNEL_TOTAL:
        yield Problem(
            path=place(config, environment, "env"),
            what=f"holds {total} bytes, and the kernel allows all variables together {KERNEL_TOTAL}",
            consequence="no container of the service could start",
            fix="put long values into files in the image",
        )
