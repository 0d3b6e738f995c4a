from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.errors import Interrupted, ProcessFailed
from curtainup.model.process import Process
from curtainup.model.process_state import ENDED, GONE, RESTARTING, RUNNING, STARTING, ProcessState
from curtainup.model.release import Release
from curtainup.pipeline import processes
from curtainup.pipeline.processes import await_processes
from curtainup.pipeline.run.steps import Progress
from curtainup.targets.runs import RunsProcesses
from tests import samples

WORKER = Process(name="worker", command=("work",), count=2, memory_mb=64, stop_timeout=9, settle=3)


class Target(RunsProcesses):
    """Runs processes that do what a test says, one look after the other."""

    def __init__(self, *looks: list[ProcessState]) -> None:
        self.looks = list(looks)
        self.trouble: Callable[[int], str | None] = lambda _: None
        self.asked: list[int] = []
        self.said = "Traceback (most recent call last):\nValueError: no queue"

    def require_process_names(self) -> None:
        raise AssertionError

    def process_states(self, release: Release) -> list[ProcessState]:
        assert release.id == "r0000001"
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def process_trouble(self, release: Release, process: Process, number: int) -> str | None:
        assert (release.id, process.name) == ("r0000001", "worker")
        self.asked.append(number)
        return self.trouble(number)

    def process_log(self, release: Release, process: Process, number: int) -> str:
        return f"{release.id} {process.name} {number}\n{self.said}"


def _states(*states: tuple[str, float], restarts: int = 0, why: str = "") -> list[ProcessState]:
    return [
        ProcessState(
            "worker", number, "r0000001", state, restarts, seconds, f"container worker.{number}", why
        )
        for number, (state, seconds) in enumerate(states, 1)
    ]


def _await(
    target: Target,
    process: Process = WORKER,
    name: str = "live",
    patience: float = 60,
    *,
    is_undone: bool = True,
    is_cancelled: bool = False,
) -> str:
    one = samples.release(1, settings=samples.SETTINGS.model_copy(update={"processes": (process,)}))
    rollout = SimpleNamespace(
        target=target,
        name=name,
        config=SimpleNamespace(start_timeout=patience),
        cancelled=threading.Event(),
        spec=SimpleNamespace(name="docker"),
    )
    if is_cancelled:
        rollout.cancelled.set()
    progress = Progress(cast("Any", None), "live-processes")
    await_processes(cast("Rollout", rollout), one, progress, threading.Event(), is_undone=is_undone)
    return progress.note


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK", 0.001)


def test_each_copy_has_to_run_for_as_long_as_settle_says() -> None:
    target = Target(
        _states((STARTING, 0), (RUNNING, 1)),
        _states((RUNNING, 2.9), (RUNNING, 3)),
        _states((RUNNING, 3), (RUNNING, 5)),
    )
    assert _await(target) == "2 processes at work"
    assert len(target.looks) == 1, "it has waited for the last of them"


@pytest.mark.parametrize("state", [ENDED, RESTARTING, GONE])
def test_one_that_ends_fails_with_what_it_said(state: str) -> None:
    with pytest.raises(ProcessFailed) as caught:
        _await(Target(_states((RUNNING, 9), (state, 0), why="exit code 1")))
    error = caught.value
    assert error.what.startswith("process worker of 200415-0819-1-b3548e ")
    assert error.where == "container worker.2"
    assert "live is put back" in str(error.consequence)
    assert error.on_live
    assert "no queue" in str(error.detail)
    assert error.exit_code == 34


def test_one_that_was_started_again_has_to_stay() -> None:
    with pytest.raises(ProcessFailed, match=r"ended and was started again \(2 times\)"):
        _await(Target(_states((RUNNING, 1), (RUNNING, 1), restarts=2)))
    _await(Target(_states((RUNNING, 3600), (RUNNING, 3600), restarts=2)))


def test_one_that_never_starts_is_late() -> None:
    target = Target(_states((STARTING, 0), (RUNNING, 9)))
    with pytest.raises(ProcessFailed, match="was not healthy in time: it did not start"):
        _await(target, WORKER.model_copy(update={"settle": 0}), name="staging", patience=0.05)


def test_staging_says_that_live_is_untouched() -> None:
    with pytest.raises(ProcessFailed) as caught:
        _await(Target(_states((ENDED, 0), (RUNNING, 9))), name="staging")
    assert str(caught.value.consequence).endswith("live is untouched")
    assert not caught.value.on_live


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("live", "live stays as it is, and its jobs may wait"),
        ("staging", "staging stays as it is, and its jobs may wait; live is untouched"),
    ],
)
def test_where_nothing_is_undone_nobody_says_so(name: str, left: str) -> None:
    with pytest.raises(ProcessFailed) as caught:
        _await(Target(_states((ENDED, 0), (RUNNING, 9))), name=name, is_undone=False)
    assert caught.value.consequence == left
    assert not caught.value.on_live, "no traffic goes back"


def test_one_that_somebody_removed_comes_back_with_the_next_deploy() -> None:
    with pytest.raises(ProcessFailed, match="is gone") as caught:
        _await(Target(_states((GONE, 0), (RUNNING, 9))))
    assert caught.value.fix == "curtainup deploy makes it again"


def test_a_health_command_counts_in_the_place_of_time() -> None:
    process = WORKER.model_copy(update={"settle": 3600, "health": ("ping",)})
    target = Target(_states((RUNNING, 0), (RUNNING, 0)))
    answers = iter(["no", None, None])
    target.trouble = lambda _: next(answers)
    assert _await(target, process) == "2 processes at work"
    assert target.asked == [1, 2, 1], "one that is well is asked no more"


def test_a_health_command_that_goes_on_failing_is_told() -> None:
    process = WORKER.model_copy(update={"settle": 0, "health": ("ping",)})
    target = Target(_states((RUNNING, 0), (RUNNING, 0)))
    target.trouble = lambda _: "exit code 9\nno pong"
    with pytest.raises(ProcessFailed, match="its health command fails") as caught:
        _await(target, process, patience=0.05)
    assert "no pong" in str(caught.value.detail)


def test_one_that_ends_at_once_fails_though_its_health_is_asked() -> None:
    process = WORKER.model_copy(update={"health": ("ping",)})
    with pytest.raises(ProcessFailed, match="ended"):
        _await(Target(_states((RUNNING, 1), (RUNNING, 1), restarts=1)), process)


def test_a_run_that_is_cancelled_waits_no_longer() -> None:
    with pytest.raises(Interrupted):
        _await(Target(_states((STARTING, 0), (RUNNING, 9))), is_cancelled=True)
