"""What Docker refuses while a container ends is tried again, and what is gone needs no limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker.errors
import pytest

from curtainup.errors import EngineFailed
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.targets.docker import processes
from curtainup.targets.docker.processes import DockerProcesses
from tests import samples

OWN = {"curtainup.service": "shop", "curtainup.environment": "live"}
WORKER = Process(name="worker", command=("work",), count=2, memory_mb=64, stop_timeout=1, settle=1)
BESIDE = WORKER.model_copy(update={"overlap": True})


class Engine:
    """A Docker engine with containers that have no limit yet; it refuses as often as it is told."""

    base_url, api_version = "http://docker", "1.41"

    def __init__(self, *names: str) -> None:
        self.limits: dict[str, int | None] = dict.fromkeys(names)
        self.refusals = 0
        self.asked: list[str] = []
        self.filters: dict[str, Any] = {}

    def containers(self, *, all: bool, filters: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: A002
        assert all, "one that has ended is there"
        self.filters = filters
        return [{"Names": [f"/{name}"]} for name in self.limits]

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name not in self.limits:
            raise docker.errors.NotFound(name)
        return {"HostConfig": {"PidsLimit": self.limits[name]}}

    def post(self, url: str, json: dict[str, int]) -> SimpleNamespace:
        name = url.removeprefix("http://docker/v1.41/containers/").removesuffix("/update")
        self.asked.append(name)
        if self.refusals:
            self.refusals -= 1
            return SimpleNamespace(status_code=500, ok=False, text="it is not running")
        self.limits[name] = json["PidsLimit"]
        return SimpleNamespace(status_code=200, ok=True, text="")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LIMIT_PAUSE", 0)


def _of(engine: Engine) -> DockerProcesses:
    return DockerProcesses(cast("Any", engine), "shop-live")


def _release(*found: Process) -> Release:
    return samples.release(1, settings=samples.SETTINGS.model_copy(update={"processes": found}))


def test_each_container_gets_its_releases_limit_once() -> None:
    engine = Engine("shop-live.worker.1", "shop-live.worker.2", "shop-live.other.1")
    _of(engine).limit(_release(WORKER))
    assert engine.limits == {"shop-live.worker.1": 64, "shop-live.worker.2": 64, "shop-live.other.1": None}
    _of(engine).limit(_release(WORKER))
    assert len(engine.asked) == 2, "one that has it is left alone"


def test_one_that_ends_again_and_again_gets_it_in_between() -> None:
    engine = Engine("shop-live.worker.1")
    engine.refusals = 3
    _of(engine).limit(_release(WORKER))
    assert engine.limits["shop-live.worker.1"] == 64
    engine = Engine("shop-live.worker.1")
    engine.refusals = 99
    with pytest.raises(EngineFailed, match="a limit of 64 processes"):
        _of(engine).limit(_release(WORKER))


def test_what_is_not_there_is_lost() -> None:
    engine = Engine("shop-live.worker.1", "shop-live.worker.2")
    assert not _of(engine).lost(_release(WORKER), OWN)
    wanted = ["curtainup.process", "curtainup.service=shop", "curtainup.environment=live"]
    assert engine.filters == {"label": wanted}
    del engine.limits["shop-live.worker.2"]
    assert _of(engine).lost(_release(WORKER), OWN)
    assert _of(Engine("shop-live.worker.1")).lost(_release(BESIDE), OWN)
