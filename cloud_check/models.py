"""What is checked, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

TARGETS = {"cloud-run": "gcp-cloud-run", "beanstalk": "aws-beanstalk"}
"""The targets that can be checked, and their names in pym-config.yaml."""


@dataclass(frozen=True)
class Place:
    """Where a service is checked.

    Attributes:
        target: a key of TARGETS.
        region: of the cloud.
        project: the id of the Google Cloud project; None on AWS.

    """

    target: str
    region: str
    project: str | None = None

    @property
    def keys(self) -> dict[str, Any]:
        """What pym-config.yaml says of the place."""
        target = {"deploy_target": TARGETS[self.target]}
        if self.target == "beanstalk":
            return {**target, "aws_region": self.region}
        return {**target, "docker_repo": self.project, "gcp_region": self.region}


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Curtainup(Protocol):
    """Runs `curtainup` in the service's folder."""

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a command with some more variables, and return how it ended."""


Left = Callable[[str], list[str]]
"""Asks the cloud what there is whose name begins with a service's."""


@dataclass(frozen=True)
class Step:
    """A step of the check that has ended.

    Attributes:
        name: what it shows.
        command: the command line, without the program.
        seconds: that it took.
        wrong: what is not as it has to be; empty if everything is.
        tail: the last lines that the command wrote.

    """

    name: str
    command: str
    seconds: float
    wrong: str
    tail: str


@dataclass
class Outcome:
    """Everything that came of a check.

    Attributes:
        service: its name.
        place: where it was checked.
        version: of curtainup.
        began: UTC, in ISO 8601.
        steps: in their order.
        interrupted: whether somebody stopped it.
        destroyed: whether `curtainup destroy` ended well.
        left: what the cloud still has of the service; None if it was not asked, or did not answer.

    """

    service: str
    place: Place
    version: str
    began: str
    steps: list[Step] = field(default_factory=list)
    interrupted: bool = False
    destroyed: bool = False
    left: list[str] | None = None

    @property
    def passed(self) -> bool:
        """Whether every step was right, and nothing is left."""
        right = all(not step.wrong for step in self.steps)
        return right and not self.interrupted and self.destroyed and self.left == []
