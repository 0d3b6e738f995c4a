from __future__ import annotations

from typing import Any

from curtainup.model.process import Process, copies, processes_of
from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.scheduler import is_scheduler
from curtainup.model.targets.cloud_run import CloudRunSettings
from curtainup.model.targets.docker import DockerSettings
from curtainup.model.targets.kubernetes import KubernetesSettings
from curtainup.scheduler.place import GRACE

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


def test_on_a_docker_host_a_scheduler_is_one_of_the_processes() -> None:
    worker = Process(name="worker", command=("work",), count=2, memory_mb=64, stop_timeout=1, settle=1)
    later = CLEANUP.model_copy(update={"name": "report", "stop_timeout": 90})
    docker, kubernetes, _ = EMPTY
    both = {"schedules": (CLEANUP, later), "processes": (worker,)}
    assert processes_of(docker) == ()
    own, theirs = processes_of(docker.model_copy(update=both))
    assert theirs == worker
    assert (own.name, own.count, own.overlap, own.memory_mb) == ("scheduler", 1, True, 512)
    assert own.stop_timeout > 90 + GRACE, "the last run is ended before the container is"
    assert is_scheduler(own)
    assert not is_scheduler(worker.model_copy(update={"name": "scheduler"}))
    assert processes_of(kubernetes.model_copy(update=both)) == (worker,)
    assert [f"{one.name}.{number}" for one, number in copies(docker.model_copy(update=both))] == [
        "scheduler.1",
        "worker.1",
        "worker.2",
    ]


def test_a_schedule_comes_back_from_what_is_written() -> None:
    for settings in EMPTY:
        given = settings.model_copy(update={"schedules": (CLEANUP,)})
        written = given.model_dump(mode="json")
        assert [one["name"] for one in written["schedules"]] == ["cleanup"]
        assert schedules_of(type(given).model_validate(written)) == (CLEANUP,)
