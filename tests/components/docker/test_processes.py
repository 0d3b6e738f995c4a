from __future__ import annotations

from typing import Any

import pytest

from curtainup.model import release as moves
from curtainup.model.process import Process
from curtainup.model.release import Deployment, release_id
from tests import samples
from tests.components.docker.test_docker_host import _config
from tests.components.program import CONTAINER, Registered, is_secret, render

WORKER = Process(
    name="worker", command=("celery", "-A", "app"), count=2, memory_mb=64, stop_timeout=9, settle=3, cpus=0.5
)
BESIDE = WORKER.model_copy(update={"overlap": True, "count": 1})


def _release(number: int, *processes: Process, **changed: Any) -> Any:
    settings = samples.SETTINGS.model_copy(update={"processes": processes})
    return samples.release(number, settings=settings, **changed)


def _processes(deployment: Deployment) -> dict[str, Registered]:
    config = {**_config(deployment), "working": deployment.working or ""}
    return {name: one for name, one in render(config).of(CONTAINER).items() if "." in name}


def _labels(one: Registered) -> dict[str, str]:
    return {label["label"]: label["value"] for label in one.inputs["labels"]}


def test_each_copy_is_a_container_with_all_that_its_process_says() -> None:
    only = _release(1, WORKER)
    found = _processes(Deployment(releases=(only,), traffic={only.id: 100}))
    assert set(found) == {"shop-live.worker.1", "shop-live.worker.2"}
    one = found["shop-live.worker.1"]
    inputs = one.inputs
    assert inputs["image"] == only.image
    assert inputs["command"] == ["celery", "-A", "app"]
    assert (inputs["memory"], inputs["memorySwap"], inputs["cpus"]) == (64, 64, "0.5")
    assert (inputs["stopTimeout"], inputs["destroyGraceSeconds"], inputs["stopSignal"]) == (9, 9, "SIGTERM")
    assert (inputs["init"], inputs["restart"]) == (True, "unless-stopped")
    assert inputs["envs"] == ["PORT=8080", "PYM_ENV=shop-live", f"VERSION={only.version}"]
    assert not inputs.get("ports")
    assert _labels(one) == {
        "curtainup.service": "shop",
        "curtainup.environment": "live",
        "curtainup.release": only.id,
        "curtainup.process": "worker",
    }


@pytest.mark.parametrize(("stop_timeout", "delete"), [(9, ""), (900, ""), (901, "1021s"), (3600, "3720s")])
def test_one_that_takes_long_to_end_has_the_time_for_it(stop_timeout: int, delete: str) -> None:
    """The provider gives up after 20 minutes by itself, and live's traffic would have moved by then."""
    only = _release(1, WORKER.model_copy(update={"stop_timeout": stop_timeout}))
    found = _processes(Deployment(releases=(only,), traffic={only.id: 100}))
    assert {one.timeouts for one in found.values()} == {("", "", delete)}


def test_they_come_after_the_switch_and_the_old_one_goes_before_the_new_one_comes() -> None:
    only = _release(1, WORKER)
    for one in _processes(Deployment(releases=(only,), traffic={only.id: 100})).values():
        assert one.protect is not True
        assert one.delete_before_replace is True
        assert "shop-live-traffic" in one.dependencies


def test_only_those_of_the_release_that_works_are_there() -> None:
    old, new = _release(1, WORKER), _release(2, WORKER)
    before = Deployment(releases=(old,), traffic={old.id: 100})
    staged = moves.stage(before, new, 1)
    canary = moves.shift(staged, new.id, 90)
    moved = moves.shift(canary, new.id)
    works = [
        {_labels(one)["curtainup.release"] for one in _processes(each).values()}
        for each in (Deployment(releases=(old,)), before, staged, canary, moved, moves.shift(moved, old.id))
    ]
    assert works == [set(), {old.id}, {old.id}, {old.id}, {new.id}, {old.id}]


def test_with_overlap_each_release_has_containers_of_its_own() -> None:
    old, new = _release(1, BESIDE), _release(2, BESIDE)
    deployment = Deployment(releases=(old, new), traffic={old.id: 0, new.id: 100})
    assert set(_processes(deployment)) == {f"shop-live.worker.1-{new.id}"}


def test_they_get_the_secrets_of_their_release() -> None:
    only = _release(1, WORKER, secrets_hmac="ab")
    found = _processes(Deployment(releases=(only,), traffic={only.id: 100}))
    assert all(is_secret(one.inputs["envs"]) for one in found.values())


def test_a_release_without_any_has_the_id_that_it_always_had() -> None:
    """Written with the version before processes: another id would make every release anew."""
    assert "processes" not in samples.SETTINGS.model_dump(mode="json")
    assert release_id("x@sha256:" + "ab" * 32, samples.SETTINGS, "") == "r24430e9"
    other = samples.SETTINGS.model_copy(update={"processes": (WORKER,)})
    assert release_id("x@sha256:" + "ab" * 32, other, "") != "r24430e9"
