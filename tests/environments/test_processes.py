"""Processes that somebody removed are made again, and each update gives them their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.model import release as moves
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.release import Deployment, Release
from curtainup.targets.docker.target import DockerTarget
from tests import samples
from tests.sessions import World, world

WORKER = Process(name="worker", command=("work",), count=1, memory_mb=64, stop_timeout=1, settle=1)
SETTINGS = samples.SETTINGS.model_copy(update={"processes": (WORKER,)})


class Scene:
    """A live environment whose processes are lost as long as a test says so."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *releases: Release) -> None:
        self.world: World = world(folder)
        self.rollout = Rollout(self.world.session, "live")
        traffic = {one.id: 100 if one is releases[-1] else 0 for one in releases}
        deployment = Deployment(releases=releases, traffic=traffic)
        self.rollout.environment = Environment("shop-live", samples.environment(), deployment)
        self.lost = True
        self.asked: list[str] = []
        self.limited: list[str] = []
        monkeypatch.setattr(DockerTarget, "has_lost_process", lambda _, one: self._look(one))
        monkeypatch.setattr(DockerTarget, "limit_processes", lambda _, one: self.limited.append(one.id))

    def _look(self, one: Release) -> bool:
        self.asked.append(one.id)
        return self.lost


def test_a_lost_process_is_noticed_before_the_next_update_which_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (samples.release(number, settings=SETTINGS) for number in (1, 2))
    scene = Scene(tmp_path, monkeypatch, first, second)
    rollout, engine = scene.rollout, scene.world.engine
    rollout.apply(moves.shift(rollout.deployment, first.id))
    assert scene.asked == [second.id], "it is the one that worked before the update"
    assert engine.refreshed == [0]
    rollout.apply(moves.shift(rollout.deployment, second.id))
    assert (engine.refreshed, scene.asked) == ([0], [second.id]), "it is there again"
    assert scene.limited == [first.id, second.id]


def test_after_an_update_that_failed_they_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, samples.release(1, settings=SETTINGS))
    before = scene.rollout.deployment
    scene.lost = False
    scene.rollout.apply(before)
    scene.lost = True
    scene.rollout.put_back(before, lambda _: None)
    assert scene.world.engine.refreshed == [1]
    assert scene.limited == ["r0000001", "r0000001"], "those that came back are limited too"


def test_a_release_without_processes_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = samples.release(1, settings=SETTINGS)
    scene = Scene(tmp_path, monkeypatch, idle, samples.release(2))
    scene.rollout.apply(scene.rollout.deployment)
    assert not scene.rollout.has_lost
    assert (scene.asked, scene.limited, scene.world.engine.refreshed) == ([], [], [])
