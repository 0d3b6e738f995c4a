"""Packs the scheduler of a release into one file. This module alone stays outside of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cronsim.cronsim

from curtainup.scheduler import plan, start
from curtainup.util import cron, zones

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive knows: the same file comes out every time."""


def packed(release: str, schedules: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the scheduler of a release, with its plan, as an archive that Python runs.

    Args:
        release: the id of the release.
        schedules: the fields of each `curtainup.model.schedule.Schedule`.

    """
    data = {one["timezone"]: zones.data(one["timezone"]) for one in schedules}
    files = {
        "__main__.py": _source(start.__file__),
        "plan.json": plan.written(release, schedules, data),
        "cronsim.py": _source(cronsim.cronsim.__file__),
        "curtainup/__init__.py": "",
        "curtainup/util/__init__.py": "",
        "curtainup/util/cron.py": _source(cron.__file__),
    }
    own = sorted(one for one in Path(__file__).parent.glob("*.py") if one != Path(__file__))
    files |= {f"curtainup/scheduler/{one.name}": _source(one) for one in own}
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as writing:
        for name, text in files.items():
            writing.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return found.getvalue()


def _source(file: str | Path) -> str:
    return Path(file).read_text(encoding="utf-8")
