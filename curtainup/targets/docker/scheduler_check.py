"""Whether an image can run the scheduler: its own check, in a container that is made as a release's is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curtainup.config.tasks import Task
from curtainup.model.release import Release
from curtainup.model.schedule import Schedule
from curtainup.scheduler import place as inside
from curtainup.scheduler.archive import packed
from curtainup.targets.docker import tasks
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    import docker

NOT_FOUND: Final = 127
NOT_RUN: Final = "its ENTRYPOINT does not run the command that it is given"


@dataclass(frozen=True)
class Checked:
    """What came of the check.

    Attributes:
        why: what the image lacks; empty if it can run the scheduler.
        said: what the container wrote.

    """

    why: str
    said: str


def check(
    client: docker.DockerClient,
    place: tasks.Place,
    release: Release,
    schedules: Sequence[Schedule],
    secrets: Mapping[str, Secret],
    *,
    patience: int,
    cancel: threading.Event,
) -> Checked:
    """Let the scheduler begin in a release's image, with an empty volume, and run nothing.

    Args:
        client: the Docker engine.
        place: where.
        release: the release in whose image it runs.
        schedules: what it is to run later.
        secrets: by the variable's name.
        patience: seconds until it has to have begun.
        cancel: ends it when set.

    Raises:
        SetupError: Docker does not answer, or the image is gone.

    """
    archive = packed(release.id, [one.model_dump(mode="json") for one in schedules])
    brought = tasks.Brought(inside.FILE, archive, inside.MEMORY)
    task = Task(name=inside.NAME, command=inside.command("check"), timeout=patience)
    lines: list[str] = []
    ran = tasks.run(
        client, place, release, task, secrets, on_line=lines.append, cancel=cancel, brought=brought
    )
    able = any(one.strip() == inside.ABLE for one in lines)
    return Checked("" if able else _why(ran, lines), "\n".join(lines).strip())


def _why(ran: Ran, lines: Sequence[str]) -> str:
    if ran.ended is not Ended.BY_ITSELF or ran.code == 0:
        return NOT_RUN
    if ran.code == NOT_FOUND:
        return "it has no python3"
    said = [one.strip() for one in lines if one.strip()]
    return ran.why or (said[-1] if said else f"it ended with exit code {ran.code}")
