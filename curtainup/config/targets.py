"""The names of the targets: the only place of the driver that lists them.

`deploy_target` accepts these names, and the configuration must not import targets, which stand above it. So
the dict is here, and holds texts, which import nothing. Code above both calls `curtainup.targets.spec_of`.
"""

from __future__ import annotations

from typing import Final

TARGETS: Final[dict[str, str]] = {
    "docker": "curtainup.targets.docker:SPEC",
    "gcp-cloud-run": "curtainup.targets.cloud_run:SPEC",
    "aws-beanstalk": "curtainup.targets.beanstalk:SPEC",
    "kubernetes": "curtainup.targets.kubernetes:SPEC",
    "gke": "curtainup.targets.gke:SPEC",
}
"""Where the specification of each target is: its module, and its name in that module."""
ON_CLUSTERS: Final = frozenset({"kubernetes", "gke"})
"""Those of the targets that are a Kubernetes cluster, whoever runs it."""


def names() -> tuple[str, ...]:
    """Return the names that `deploy_target` accepts."""
    return tuple(TARGETS)
