from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from curtainup.config.tasks import Task
from curtainup.environments.rollout import Rollout
from curtainup.errors import CurtainupError, Interrupted, SetupError, TaskFailed
from curtainup.model.environment import Environment
from curtainup.model.release import Release
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.tasks import run_tasks
from curtainup.targets.docker.target import DockerTarget
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from tests import samples
from tests.sessions import World, world

TASKS = """\
tasks:
  - name: migrate
    command: ./migrate
    timeout: 90s
  - ./seed
env_secrets: [TOKEN]
"""
GOOD = Ran(0, Ended.BY_ITSELF, "container shop-migrate")


class Told(DockerTarget):
    """A Docker host that runs no task, but says how each ended."""

    def __init__(self, one: World, name: str, outcomes: list[Ran | CurtainupError], does: Callable[[], None]):
        super().__init__(one.session, name, lambda: Environment(f"shop-{name}"))
        self.outcomes = outcomes
        self.calls: list[str] = []
        self._does = does

    def end_tasks(self) -> None:
        self.calls.append("end")

    def run_task(self, one: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        self.calls.append(f"{task.name} of {one.id}")
        on_line(f"{task.name} prints open sesame")
        self._does()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, CurtainupError):
            raise outcome
        return outcome


@dataclass
class Scene:
    world: World
    recorder: Recorder
    target: Told
    name: str = "live"
    outcomes: list[Ran | CurtainupError] = field(default_factory=list)

    def run(self) -> None:
        rollout = Rollout(self.world.session, self.name)
        rollout.target = self.target
        run_tasks(RunContext.of(self.world.session, self.recorder, None), rollout, samples.release(1))

    def log(self, name: str) -> str:
        return (self.recorder.folder / "tasks" / f"{self.name}-{name}.log").read_text()


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Scene]:
    def make(
        *outcomes: Ran | CurtainupError, name: str = "live", text: str = TASKS, cancels: bool = False
    ) -> Scene:
        one = world(tmp_path, text, {"TOKEN": "open sesame"})
        recorder = Recorder(
            tmp_path / ".curtainup", "shop", "deploy", redact=one.session.service.redact, environ={}
        )
        does = one.session.run.cancelled.set if cancels else lambda: None
        return Scene(one, recorder, Told(one, name, list(outcomes), does), name)

    return make


def test_they_run_one_after_the_other_and_are_kept_without_secrets(scene: Callable[..., Scene]) -> None:
    found = scene(GOOD, GOOD)

    found.run()

    assert found.target.calls == ["end", "migrate of r0000001", "task-2 of r0000001"]
    assert found.log("migrate") == "migrate prints ***\n"
    assert ("live-tasks", "migrate: migrate prints ***") in found.world.report.progress
    assert found.world.report.finished == [("live-tasks", "passed", "2 tasks")]
    noted = [(one.environment, one.name, one.exit_code, one.log) for one in found.recorder.record.tasks]
    assert noted == [
        ("live", "migrate", 0, "tasks/live-migrate.log"),
        ("live", "task-2", 0, "tasks/live-task-2.log"),
    ]


def test_without_tasks_there_is_no_step(scene: Callable[..., Scene]) -> None:
    found = scene(text="")

    found.run()

    assert found.target.calls == []
    assert found.world.report.started == []


@pytest.mark.parametrize(
    ("ran", "what"),
    [
        (Ran(3, Ended.BY_ITSELF, "c"), "task migrate for live failed with exit code 3"),
        (
            Ran(137, Ended.BY_ITSELF, "c", "it used more than its 256 MiB of memory", "raise it"),
            "task migrate for live failed with exit code 137: it used more than its 256 MiB of memory",
        ),
        (
            Ran(None, Ended.TIMED_OUT, "c"),
            "task migrate for live was stopped, as it took longer than 1m30s",
        ),
    ],
)
def test_the_first_that_fails_ends_the_run(scene: Callable[..., Scene], ran: Ran, what: str) -> None:
    found = scene(ran)

    with pytest.raises(TaskFailed) as caught:
        found.run()

    error = caught.value
    assert (error.what, error.where, error.exit_code) == (what, "c", 25)
    assert error.detail == "migrate prints ***"
    assert "live is as it was" in (error.consequence or "")
    assert "tasks/live-migrate.log" in (error.fix or "")
    assert ran.fix in (error.fix or "")
    assert [(one.name, one.exit_code) for one in found.recorder.record.tasks] == [("migrate", ran.code)]
    assert found.world.report.finished[0][:2] == ("live-tasks", "failed")


@pytest.mark.parametrize(
    ("name", "consequence"),
    [
        ("staging", "staging is put back to what it was before; live is untouched"),
        ("review-7", "review-7 is put back to what it was before"),
    ],
)
def test_what_becomes_of_the_environment_is_told(
    scene: Callable[..., Scene], name: str, consequence: str
) -> None:
    with pytest.raises(TaskFailed) as caught:
        scene(Ran(1, Ended.BY_ITSELF, "c"), name=name).run()
    assert caught.value.consequence == f"{consequence}; what the task has changed stays changed"


def test_one_that_could_not_be_run_is_in_the_record(scene: Callable[..., Scene]) -> None:
    found = scene(SetupError("Docker is gone"))

    with pytest.raises(SetupError):
        found.run()

    assert [one.exit_code for one in found.recorder.record.tasks] == [None]


def test_one_that_was_interrupted_is_no_failure(scene: Callable[..., Scene]) -> None:
    found = scene(Ran(None, Ended.STOPPED, "c"), cancels=True)

    with pytest.raises(Interrupted):
        found.run()

    assert found.world.report.finished[0][:2] == ("live-tasks", "cancelled")
