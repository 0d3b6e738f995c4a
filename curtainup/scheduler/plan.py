"""What a scheduler is to run: written where the image is not yet known, and read in it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Planned:
    """A schedule; see `curtainup.model.schedule.Schedule`. All times are seconds.

    Attributes:
        name: of the schedule.
        command: its words.
        cron: when it comes due.
        zone: the time zone of that.
        time_limit: how long a run may take.
        overlaps: whether a run may start while another one is on its way.
        start_within: how late a run may start.
        stop_timeout: how long a run may go on once the scheduler is to end.

    """

    name: str
    command: tuple[str, ...]
    cron: str
    zone: ZoneInfo
    time_limit: float
    overlaps: bool
    start_within: float
    stop_timeout: float

    @property
    def line(self) -> str:
        """What says when it comes due: with another one, what came due before says nothing."""
        return f"{self.cron} {self.zone.key}"


@dataclass(frozen=True)
class Plan:
    """What the scheduler of a release runs.

    Attributes:
        release: the id of the release.
        schedules: its schedules.

    """

    release: str
    schedules: tuple[Planned, ...]


def written(release: str, schedules: Iterable[Mapping[str, Any]], zones: Mapping[str, bytes]) -> str:
    """Return a plan as text.

    Args:
        release: the id of the release.
        schedules: the fields of each `curtainup.model.schedule.Schedule`.
        zones: by name, what describes the time zones of the schedules (TZif): the image may have none.

    """
    told = {name: base64.b64encode(data).decode() for name, data in zones.items()}
    return json.dumps({"release": release, "schedules": list(schedules), "zones": told}, sort_keys=True)


def read(text: str) -> Plan:
    """Return the plan that a text holds."""
    found = json.loads(text)
    zones = {name: _zone(name, data) for name, data in found["zones"].items()}
    return Plan(found["release"], tuple(_planned(one, zones) for one in found["schedules"]))


def _zone(name: str, data: str) -> ZoneInfo:
    return ZoneInfo.from_file(io.BytesIO(base64.b64decode(data)), key=name)


def _planned(one: Mapping[str, Any], zones: Mapping[str, ZoneInfo]) -> Planned:
    return Planned(
        name=one["name"],
        command=tuple(one["command"]),
        cron=one["cron"],
        zone=zones[one["timezone"]],
        time_limit=one["time_limit"],
        overlaps=one["overlap"] == "allow",
        start_within=one["start_within"],
        stop_timeout=one["stop_timeout"],
    )
