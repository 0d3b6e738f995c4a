"""The targets, by name: the one place of the driver that names them all.

Configuration says which names there are, and may import no target; whoever is above both asks
`curtainup.targets`. So the names are down here, each with where its specification is, as a text that imports
nothing.
"""

from __future__ import annotations

from typing import Final

TARGETS: Final[dict[str, str]] = {
    "docker": "curtainup.targets.docker:SPEC",
    "gcp-cloud-run": "curtainup.targets.cloud_run:SPEC",
    "aws-beanstalk": "curtainup.targets.beanstalk:SPEC",
}
"""By name, as `deploy_target` has it, the module of its specification and the name in there."""
FORESEEN: Final = ("gke",)
"""What a configuration may name already, though nothing can be deployed there yet."""


def names() -> tuple[str, ...]:
    """Return what `deploy_target` may say."""
    return (*TARGETS, *FORESEEN)
