"""The Docker labels by which everything that curtainup makes is found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

SERVICE = "curtainup.service"
ENVIRONMENT = "curtainup.environment"
RELEASE = "curtainup.release"
STATE = "curtainup.state"
PROCESS = "curtainup.process"
SCHEDULE = "curtainup.schedule"
WORKS_FOR = "curtainup.works-for"
ACCESSORY = "curtainup.accessory"

Label = TypeVar("Label")


def labels(
    kind: Callable[..., Label], service: str, environment: str | None = None, **more: Any
) -> list[Label]:
    """Return the labels of one resource, as the label type that its kind of resource takes."""
    named = {SERVICE: service, ENVIRONMENT: environment, **more}
    return [kind(label=label, value=value) for label, value in named.items() if value is not None]
