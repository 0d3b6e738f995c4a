"""What the container of a scheduler has besides what every process has: its file, and its volume."""

from __future__ import annotations

import base64
from typing import Any, Final

import pulumi
import pulumi_docker as docker

from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.model.schedule import schedules_of
from curtainup.model.scheduler import is_scheduler
from curtainup.scheduler.archive import packed
from curtainup.scheduler.place import FILE, MEMORY

AS_CREATED: Final = ["uploads", "command", "stopTimeout", "destroyGraceSeconds"]
"""The inputs of a container that stay: a newer curtainup may have others, for the releases that come."""


def arguments(release: Release, process: Process, volume: pulumi.Input[str] | None) -> dict[str, Any]:
    """Return arguments of a process's container: none for a process that is not the scheduler."""
    if volume is None or not is_scheduler(process):
        return {}
    content = base64.b64encode(archive(release)).decode()
    return {
        "uploads": [docker.ContainerUploadArgs(file=FILE, content_base64=content)],
        "mounts": [docker.ContainerMountArgs(type="volume", source=volume, target=MEMORY)],
    }


def archive(release: Release) -> bytes:
    """Return the scheduler of a release, with its plan, as an archive that Python runs."""
    return packed(release.id, [one.model_dump(mode="json") for one in schedules_of(release.settings)])
