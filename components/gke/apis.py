"""The APIs of a project that are used."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
from pulumi_gcp import projects


def enabled(name: str, apis: Iterable[str], opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """Enable APIs; other things in the project may need them too, so none is ever disabled."""
    return [
        projects.Service(
            f"{name}-{api}",
            projects.ServiceArgs(
                service=f"{api}.googleapis.com", disable_on_destroy=False, disable_dependent_services=False
            ),
            opts=opts,
        )
        for api in apis
    ]
