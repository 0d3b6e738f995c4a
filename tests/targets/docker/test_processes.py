"""The containers of processes, as the real Docker engine tells of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from curtainup.errors import RefusedError
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.process_state import ENDED, GONE, RESTARTING, RUNNING, ProcessState
from curtainup.model.release import Release
from curtainup.setup.base_images import images
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.docker.logs import DockerLogs
from curtainup.targets.docker.processes import DockerProcesses
from curtainup.targets.log_lines import Asked
from tests import samples
from tests.sessions import world

pytestmark = pytest.mark.docker
PATIENCE = 120.0
WORKER = Process(name="worker", command=("work",), count=2, memory_mb=64, stop_timeout=1, settle=1)
OWN = {"curtainup.service": f"shop-{uuid.uuid4().hex[:6]}", "curtainup.environment": "live"}
"""Labels that no other test looks for."""


class Scene:
    """An environment with containers as those of its processes."""

    def __init__(self) -> None:
        self.client = docker.from_env()
        images.ensure(self.client, print)
        self.stack = f"cu-processes-test-{uuid.uuid4().hex[:6]}-live"
        self.processes = DockerProcesses(
            self.client.api, self.stack, lambda text: text.replace("s3cret", "***")
        )
        self.made: list[Container] = []

    def run(self, name: str, *command: str, release: str = "r0000001", again: bool = False) -> Container:
        container = self.client.containers.create(
            REFERENCES["base"],
            list(command),
            name=f"{self.stack}.{name}",
            labels={**OWN, "curtainup.release": release, "curtainup.process": name.partition(".")[0]},
            init=True,
            stop_signal="SIGKILL",
        )
        self.made.append(container)
        if again:
            container.update(restart_policy={"Name": "always"})
        container.start()
        return container

    def states(self, *processes: Process) -> list[ProcessState]:
        return self.processes.states(_release(*processes))

    def until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def scene() -> Iterator[Scene]:
    found = Scene()
    yield found
    for one in found.made:
        one.remove(force=True)
    found.client.close()


def _release(*processes: Process) -> Release:
    return samples.release(1, settings=samples.SETTINGS.model_copy(update={"processes": processes}))


def test_one_that_runs_says_for_how_long_by_the_engines_clock(scene: Scene) -> None:
    scene.run("worker.1", "sleep", "600")
    first, second = scene.states(WORKER)
    assert (first.process, first.number, first.state, first.restarts, first.why) == (
        "worker",
        1,
        RUNNING,
        0,
        "",
    )
    assert second.state == GONE
    scene.until(lambda: scene.states(WORKER)[0].seconds > first.seconds)


def test_one_that_ended_says_how(scene: Scene) -> None:
    scene.run("worker.1", "sh", "-c", "echo s3cret is wrong; exit 3")
    scene.until(lambda: scene.states(WORKER)[0].state == ENDED)
    assert scene.states(WORKER)[0].why == "exit code 3"
    assert scene.processes.log(_release(WORKER), WORKER, 1) == "*** is wrong"
    assert "gone with its container" in scene.processes.log(_release(WORKER), WORKER, 2)


def test_one_that_docker_starts_again_and_again_says_how_often(scene: Scene) -> None:
    scene.run("worker.1", "false", again=True)
    scene.until(lambda: scene.states(WORKER)[0].restarts > 1)
    scene.until(lambda: scene.states(WORKER)[0].state == RESTARTING)


def test_that_of_another_release_is_not_it(scene: Scene) -> None:
    scene.run("worker.1", "sleep", "600", release="r0000002")
    assert scene.states(WORKER)[0].state == GONE


def test_one_that_is_removed_is_lost_and_one_that_has_ended_is_not(scene: Scene) -> None:
    """That of another release is there: the update replaces it."""
    scene.run("worker.1", "false")
    second = scene.run("worker.2", "sleep", "600", release="r0000002")
    assert not scene.processes.lost(_release(WORKER), OWN)
    assert scene.processes.lost(_release(WORKER), {**OWN, "curtainup.environment": "staging"})
    scene.made.remove(second)
    second.remove(force=True)
    assert scene.processes.lost(_release(WORKER), OWN)


def test_a_limit_holds_for_one_that_runs_and_for_one_that_ends_again_and_again(scene: Scene) -> None:
    runs, ends = scene.run("worker.1", "sleep", "600"), scene.run("worker.2", "false", again=True)
    scene.processes.limit(_release(WORKER))
    for one in (runs, ends):
        one.reload()
        assert one.attrs["HostConfig"]["PidsLimit"] == samples.SETTINGS.pids_limit


def test_a_health_command_runs_in_its_container(scene: Scene) -> None:
    container = scene.run("worker.1", "sleep", "600")
    process = WORKER.model_copy(update={"health": ("sh", "-c", "echo s3cret; test -e /tmp/ready")})
    assert scene.processes.trouble(_release(process), process, 1) == "exit code 1\n***"
    container.exec_run(["touch", "/tmp/ready"])
    assert scene.processes.trouble(_release(process), process, 1) is None
    container.kill()
    scene.until(lambda: scene.states(process)[0].state == ENDED)
    assert "not running" in str(scene.processes.trouble(_release(process), process, 1))


def test_only_somebody_elses_container_is_in_the_way(scene: Scene) -> None:
    scene.run("worker.2", "sleep", "600")
    scene.processes.require_names([WORKER], OWN)
    with pytest.raises(RefusedError) as caught:
        scene.processes.require_names([WORKER], {**OWN, "curtainup.service": "other"})
    assert caught.value.where == f"container {scene.stack}.worker.2"
    beside = WORKER.model_copy(update={"overlap": True})
    scene.processes.require_names([beside], {**OWN, "curtainup.service": "other"})


def test_its_lines_are_told_apart_from_those_of_others(scene: Scene, tmp_path: Path) -> None:
    scene.run("worker.1", "sh", "-c", "echo one; sleep 600")
    scene.run("worker.2", "sh", "-c", "echo two; sleep 600")
    scene.run("clock.1-r0000001", "sh", "-c", "echo tick; sleep 600")
    logs = DockerLogs(world(tmp_path).session, Environment(scene.stack))

    def lines(process: str) -> set[tuple[str, str, str]]:
        return {(one.release, one.process, one.text) for one in logs.lines(Asked(process=process))}

    scene.until(lambda: len(lines("worker")) == 2 and len(lines("clock")) == 1)
    assert lines("worker") == {("r0000001", "worker.1", "one"), ("r0000001", "worker.2", "two")}
    assert lines("clock") == {("r0000001", "clock.1", "tick")}
    assert lines("") == set()
