from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.docker import scheduler
from curtainup.model.process import Process
from curtainup.model.release import Deployment, Release
from curtainup.scheduler import plan
from tests import samples
from tests.components.docker.test_docker_host import _config
from tests.components.program import CONTAINER, VOLUME, Run, render
from tests.model.test_schedule import CLEANUP

WORKER = Process(name="worker", command=("work",), count=1, memory_mb=64, stop_timeout=9, settle=3)
IN_STOCKHOLM = CLEANUP.model_copy(
    update={"name": "report", "timezone": "Europe/Stockholm", "stop_timeout": 90}
)


def _release(number: int, **changed: Any) -> Release:
    update = {"schedules": (CLEANUP, IN_STOCKHOLM), "processes": (WORKER,), **changed}
    return samples.release(number, settings=samples.SETTINGS.model_copy(update=update))


def _rendered(deployment: Deployment) -> Run:
    return render({**_config(deployment), "working": deployment.working or ""})


def _live(release: Release) -> Run:
    return _rendered(Deployment(releases=(release,), traffic={release.id: 100}))


def test_the_scheduler_is_a_process_of_the_release_with_a_volume_and_a_file() -> None:
    release = _release(1)
    found = _live(release)
    one = found.of(CONTAINER)[f"shop-live.scheduler.1-{release.id}"]
    assert one.inputs["command"] == ["python3", "-BEs", "/curtainup/scheduler.pyz"]
    assert one.inputs["image"] == release.image
    assert one.inputs["mounts"] == [{"type": "volume", "source": "shop-live.schedule", "target": "/var/tmp"}]
    assert (one.inputs["memory"], one.inputs["stopTimeout"]) == (256, 100)
    assert one.labels()["curtainup.process"] == "scheduler"
    assert one.timeouts == ("", "", ""), "nothing of its state is other than before"
    assert {"uploads", "command", "stopTimeout", "destroyGraceSeconds"} <= set(one.ignore_changes)
    [upload] = one.inputs["uploads"]
    assert upload["file"] == "/curtainup/scheduler.pyz"
    assert base64.b64decode(upload["contentBase64"]) == scheduler.archive(release)
    volume = found.one(VOLUME)
    assert (volume.inputs["name"], volume.protect) == ("shop-live.schedule", False)
    assert volume.labels()["curtainup.environment"] == "live"
    worker = found.of(CONTAINER)["shop-live.worker.1"]
    assert not {"uploads", "mounts"} & worker.inputs.keys()
    assert not {"uploads", "command", "stopTimeout", "destroyGraceSeconds"} & set(worker.ignore_changes)


def test_it_has_the_volumes_of_the_service_too() -> None:
    release = _release(1, volumes=("data:/data",))
    one = _live(release).of(CONTAINER)[f"shop-live.scheduler.1-{release.id}"]
    assert [mount["target"] for mount in one.inputs["mounts"]] == ["/data", "/var/tmp"]


def test_a_release_with_schedules_alone_has_a_scheduler_and_one_without_has_nothing_new() -> None:
    release = _release(1, processes=())
    names = {one for one in _live(release).of(CONTAINER) if "." in one}
    assert names == {f"shop-live.scheduler.1-{release.id}"}
    without = _live(_release(1, schedules=(), processes=()))
    assert not without.of(VOLUME)
    assert not [one for one in without.of(CONTAINER) if "." in one]


def test_the_volume_stays_while_a_release_that_is_kept_has_schedules() -> None:
    old, new = _release(1), _release(2, schedules=())
    found = _rendered(Deployment(releases=(old, new), traffic={old.id: 0, new.id: 100}))
    assert set(found.of(VOLUME)) == {"shop-live.schedule"}
    assert not [one for one in found.of(CONTAINER) if "scheduler" in one]


def test_the_archive_is_the_same_every_time_and_has_all_that_is_needed(tmp_path: Path) -> None:
    release = _release(1)
    archive = scheduler.archive(release)
    assert archive == scheduler.archive(release)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        text = file.read("plan.json").decode()
    found = plan.read(text)
    assert found.release == release.id
    assert [one.line for one in found.schedules] == ["0 3 * * * UTC", "0 3 * * * Europe/Stockholm"]
    assert set(json.loads(text)["zones"]) == {"UTC", "Europe/Stockholm"}
    (tmp_path / "scheduler.pyz").write_bytes(archive)
    command = [sys.executable, "-SBEs", str(tmp_path / "scheduler.pyz"), "ready"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, ""), "it needs no package that is installed"
    assert done.stdout.startswith("the scheduler does not answer")


@pytest.mark.parametrize("volume", [None, "shop-live.schedule"])
def test_no_other_process_gets_it(volume: str | None) -> None:
    assert scheduler.arguments(_release(1), WORKER, volume) == {}
