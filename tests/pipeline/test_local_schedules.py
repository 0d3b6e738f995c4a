"""Whose schedules are checked in an image before it is pushed, and when nothing has to be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from curtainup.environments import stack as environments
from curtainup.errors import ProcessFailed
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.pipeline import builder, local_schedules
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session
from curtainup.targets.docker import scheduler_check, tasks
from curtainup.targets.docker.scheduler_check import Checked
from tests import samples
from tests.model.test_schedule import CLEANUP
from tests.sessions import world

PUSHED = f"registry.example.com/shop@sha256:{'d' * 64}"
SCHEDULE = 'schedule: {cleanup: {command: clean, cron: "0 3 * * *"}}'
AT_WORK = samples.SETTINGS.model_copy(update={"schedules": (CLEANUP,)})


@dataclass(frozen=True)
class Image:
    version: str = "260612-1015-1-abc123"
    image_id: str = ""
    reference: str = ""
    runnable: str = "sha256:1"


class Scene:
    """A run whose engine checks nothing, but says what came of it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, text: str) -> None:
        self.checked: list[list[str]] = []
        self.found = Checked("", "")
        self.there: dict[str, Deployment] = {}
        self.session = world(folder, text).session
        for engine in (self.session.accounts.builder, self.session.accounts.engine):
            engine.__dict__["client"] = None
        patch.setattr(builder, "bring", lambda *_: None)
        patch.setattr(tasks, "end", lambda *_: None)
        patch.setattr(scheduler_check, "check", self._check)
        patch.setattr(environments, "of", self._environment)
        self.context = RunContext.of(self.session, Recorder(folder / ".curtainup", "shop", "deploy"), None)

    def _check(
        self, _client: object, _place: object, _release: object, wanted: Any, *_: Any, **__: Any
    ) -> Any:
        self.checked.append([one.name for one in wanted])
        return self.found

    def _environment(self, session: Session, name: str) -> Environment:
        del session
        return Environment(f"shop-{name}", deployment=self.there.get(name, Deployment()))

    def check(self, image: Image) -> list[list[str]]:
        local_schedules.check(self.context, image)
        return self.checked

    @property
    def steps(self) -> list[tuple[str, str | None, str]]:
        return [(one.name, one.outcome, one.detail) for one in self.context.recorder.record.steps]


Make = Callable[..., Scene]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda text=SCHEDULE: Scene(tmp_path, monkeypatch, text)


def test_a_service_without_schedules_has_no_such_step(scene: Make) -> None:
    one = scene("")
    assert one.check(Image()) == []
    assert one.steps == []


def test_those_of_live_are_checked_although_staging_has_none(scene: Make) -> None:
    one = scene(f"{SCHEDULE}\nenvironments: {{staging: {{schedule: {{}}}}}}")
    assert one.check(Image()) == [["cleanup"]]
    assert one.steps == [("local-schedules", "passed", "1 schedule")]


def test_those_of_staging_are_checked_where_live_has_none(scene: Make) -> None:
    one = scene(f"{SCHEDULE}\nenvironments: {{live: {{schedule: {{}}}}}}")
    assert one.check(Image()) == [["cleanup"]]


def test_a_review_environment_needs_its_own_alone(scene: Make) -> None:
    one = scene(f"{SCHEDULE}\nenvironments: {{review: {{schedule: {{}}}}}}")
    one.session.service.__dict__["first"] = "review-pr-1"
    assert one.check(Image()) == []


def test_a_cluster_needs_no_python_in_the_image(scene: Make) -> None:
    text = f"{SCHEDULE}\ndeploy_target: kubernetes\nkubernetes_host: shop.example.com\n"
    text += "docker_repo: registry.example.com/shop\n"
    assert scene(text).check(Image()) == []


def test_an_image_in_which_a_scheduler_works_is_not_checked_again(scene: Make) -> None:
    one = scene()
    works = samples.release(1, image=PUSHED, settings=AT_WORK)
    one.there["live"] = Deployment(releases=(works,), traffic={works.id: 100}, working=works.id)
    assert one.check(Image(reference=PUSHED)) == []
    assert one.check(Image(reference=PUSHED.replace("d", "e"))) == [["cleanup"]]


def test_an_image_that_has_worked_without_schedules_is_checked(scene: Make) -> None:
    one = scene()
    works = samples.release(1, image=PUSHED)
    one.there["staging"] = Deployment(releases=(works,), traffic={works.id: 100}, working=works.id)
    assert one.check(Image(reference=PUSHED)) == [["cleanup"]]


def test_an_image_that_cannot_fails_the_run_before_anything_is_pushed(scene: Make) -> None:
    one = scene()
    one.found = replace(one.found, why="it has no python3", said="exec python3 failed")
    with pytest.raises(ProcessFailed) as caught:
        one.check(Image())
    assert (
        caught.value.what == "the image of 260612-1015-1-abc123 cannot run the schedules: it has no python3"
    )
    assert caught.value.consequence == "nothing was pushed; staging and live are as they were"
    assert caught.value.detail == "exec python3 failed"
    assert not caught.value.on_live
