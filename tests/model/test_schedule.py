from __future__ import annotations

from typing import Any

from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.targets.cloud_run import CloudRunSettings
from curtainup.model.targets.docker import DockerSettings
from curtainup.model.targets.kubernetes import KubernetesSettings

CLEANUP = Schedule(
    name="cleanup",
    command=("work",),
    cron="0 3 * * *",
    timezone="UTC",
    time_limit=600,
    start_within=300,
    stop_timeout=10,
)
ANY: dict[str, Any] = {"container_port": 8000, "health_path": "/", "memory_mb": 512}
EMPTY = (
    DockerSettings(**ANY, pids_limit=100, stop_timeout=10),
    KubernetesSettings(**ANY, start_timeout=60, health_timeout=5, drain_timeout=10, stop_timeout=10),
    CloudRunSettings(**ANY, cpus=1, concurrency=80, request_timeout=60, start_timeout=60),
)


def test_settings_without_a_schedule_stay_what_they_were() -> None:
    for settings in EMPTY:
        assert "schedules" not in settings.model_dump(mode="json")
        assert schedules_of(settings) == ()


def test_a_schedule_comes_back_from_what_is_written() -> None:
    for settings in EMPTY:
        given = settings.model_copy(update={"schedules": (CLEANUP,)})
        written = given.model_dump(mode="json")
        assert [one["name"] for one in written["schedules"]] == ["cleanup"]
        assert schedules_of(type(given).model_validate(written)) == (CLEANUP,)
