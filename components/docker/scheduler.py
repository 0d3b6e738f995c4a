"""What the container of a scheduler has besides what every process has: its file, and its volume."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any, Final

import cronsim.cronsim
import pulumi
import pulumi_docker as docker

import curtainup.scheduler
import curtainup.util.cron
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.model.schedule import schedules_of
from curtainup.model.scheduler import is_scheduler
from curtainup.scheduler import plan, start
from curtainup.scheduler.place import FILE, MEMORY
from curtainup.util import zones

AS_CREATED: Final = ["uploads"]
"""The inputs of a container that stay: a newer curtainup has another file, for the releases that come."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive knows: the same file comes out every time."""


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
    schedules = schedules_of(release.settings)
    data = {one.timezone: zones.data(one.timezone) for one in schedules}
    files = {
        "__main__.py": _source(start.__file__),
        "plan.json": plan.written(release.id, (one.model_dump(mode="json") for one in schedules), data),
        "cronsim.py": _source(cronsim.cronsim.__file__),
        "curtainup/__init__.py": "",
        "curtainup/util/__init__.py": "",
        "curtainup/util/cron.py": _source(curtainup.util.cron.__file__),
    }
    folder = Path(curtainup.scheduler.__file__).parent
    files |= {f"curtainup/scheduler/{one.name}": _source(one) for one in sorted(folder.glob("*.py"))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, text in files.items():
            writing.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _source(file: str | Path) -> str:
    return Path(file).read_text(encoding="utf-8")
