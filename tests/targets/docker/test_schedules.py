"""The scheduler in a real container, as the driver asks it."""

from __future__ import annotations

import io
import os
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import docker
import pytest
from docker.errors import NotFound

from components.docker.scheduler import archive
from curtainup.errors import RefusedError, SetupError
from curtainup.model.process import container, processes_of
from curtainup.model.schedule_run import FAILED, OK, RUNNING, TIMED_OUT, ScheduleRun
from curtainup.model.scheduler import volume
from curtainup.scheduler import place
from curtainup.setup.base_images import images
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.command import Asked
from curtainup.targets.docker.schedules import DockerSchedules
from curtainup.util.terminal import Terminal
from tests import samples
from tests.model.test_schedule import CLEANUP

pytestmark = pytest.mark.docker
PATIENCE = 120.0


def _schedule(name: str, command: str, cron: str = "0 0 1 1 *", **more: object) -> object:
    return CLEANUP.model_copy(update={"name": name, "command": ("sh", "-c", command), "cron": cron, **more})


SCHEDULES = (
    _schedule("fails", "echo out; echo err >&2; exit 5"),
    _schedule("hangs", "sleep 60", "* * * * * *", overlap="allow"),
    _schedule("alone", "sleep 60", time_limit=2),
    _schedule("tick", "true", "* * * * * *"),
)
RELEASE = samples.release(1, settings=samples.SETTINGS.model_copy(update={"schedules": SCHEDULES}))
FAILS, HANGS, ALONE, _ = RELEASE.settings.schedules  # type: ignore[attr-defined]
OWN = {"curtainup.service": "shop", "curtainup.environment": "live"}


class Scene:
    """A container with the scheduler of a release."""

    def __init__(self) -> None:
        self.client = docker.from_env()
        images.ensure(self.client, print)
        self.stack = f"cu-schedules-test-{uuid.uuid4().hex[:6]}-live"
        [process] = processes_of(RELEASE.settings)
        self.name = container(self.stack, process, 1, RELEASE.id)
        self.made = self.client.containers.create(
            REFERENCES["base"],
            list(process.command),
            name=self.name,
            init=True,
            stop_signal="SIGKILL",
            user="10001",
        )
        self.made.put_archive("/", _tar(place.FILE, archive(RELEASE)))
        self.made.start()
        self.schedules = DockerSchedules(self.client.api, self.stack)
        self.said: list[str] = []
        self._reading, writing = os.pipe()
        self.asked = Asked((), terminal=Terminal(0, writing, writing), say=self.said.append)

    def runs(self) -> list[ScheduleRun]:
        return self.schedules.runs(RELEASE)

    def written(self) -> bytes:
        return os.read(self._reading, 1000)

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, self.made.logs().decode()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    found = Scene()
    found.until(lambda: found.made.exec_run(list(place.command("ready"))).exit_code == 0)
    yield found
    with suppress(NotFound):
        found.made.remove(force=True, v=True)
    found.client.close()


def _tar(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        told = tarfile.TarInfo(name)
        told.size = len(data)
        file.addfile(told, io.BytesIO(data))
    return packed.getvalue()


def test_it_tells_what_has_run_and_where(scene: Scene) -> None:
    scene.until(lambda: any(one.schedule == "tick" and one.outcome == OK for one in scene.runs()))
    found = scene.runs()
    assert found == sorted(found, key=lambda one: one.due or found[0].due)  # type: ignore[arg-type,return-value]
    one = next(one for one in found if one.schedule == "tick" and one.outcome == OK)
    assert one.place == f"container {scene.name}"
    assert one.due is not None
    assert one.started is not None
    assert one.ended is not None
    assert one.due <= one.started <= one.ended


def test_a_run_by_hand_shows_its_output_and_gives_its_code(scene: Scene) -> None:
    assert scene.schedules.run_now(RELEASE, FAILS, scene.asked) == 5
    assert sorted(scene.written().splitlines()) == [b"err", b"out"]
    [one] = [one for one in scene.runs() if one.schedule == "fails"]
    assert (one.due, one.outcome, one.exit_code) == (None, FAILED, 5)


def test_one_that_takes_too_long_is_told_as_that(scene: Scene) -> None:
    assert scene.schedules.run_now(RELEASE, ALONE, scene.asked) == 143
    assert scene.said[-1] == "timed out: it went on for more than 2 s"
    assert [one.outcome for one in scene.runs() if one.schedule == "alone"] == [TIMED_OUT]


def test_one_is_refused_beside_its_own_run(scene: Scene) -> None:
    scene.until(lambda: any(one.schedule == "hangs" and one.outcome == RUNNING for one in scene.runs()))
    forbids = HANGS.model_copy(update={"overlap": "forbid"})
    with pytest.raises(RefusedError, match="schedule hangs runs already"):
        scene.schedules.run_now(RELEASE, forbids, scene.asked)
    with pytest.raises(RefusedError, match="schedule gone runs already, or cannot run just now"):
        scene.schedules.run_now(RELEASE, HANGS.model_copy(update={"name": "gone"}), scene.asked)


def test_a_volume_of_somebody_else_is_refused_and_ones_own_is_not(scene: Scene) -> None:
    scene.schedules.require_volume(OWN)
    made = scene.client.volumes.create(volume(scene.stack), labels={**OWN, "more": "x"})
    try:
        scene.schedules.require_volume(OWN)
        with pytest.raises(RefusedError, match="a volume that curtainup did not make"):
            scene.schedules.require_volume({**OWN, "curtainup.environment": "staging"})
    finally:
        made.remove()


def test_without_its_container_nobody_knows(scene: Scene) -> None:
    scene.made.remove(force=True, v=True)
    with pytest.raises(SetupError, match="the Docker engine does not tell of the schedules"):
        scene.runs()
    with pytest.raises(SetupError):
        scene.schedules.run_now(RELEASE, FAILS, scene.asked)
