"""A task on Cloud Run goes on while nobody can ask how it is."""

from __future__ import annotations

from threading import Event
from typing import Any
from unittest.mock import create_autospec

import pytest

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms.google.api import Refused
from curtainup.platforms.google.jobs import Execution, Jobs
from curtainup.targets.cloud_run import tasks
from curtainup.targets.cloud_run.tasks import Waiting

JOB, NAME = "projects/p/locations/r/jobs/j", "projects/p/locations/r/jobs/j/executions/e"
MIGRATE = Task(name="migrate", command=("python", "migrate.py"), timeout=30)
UNREACHED = SetupError("cannot reach Google Cloud")
BUSY, DENIED = Refused(503, "", ""), Refused(403, "", "no")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_LOOK", "LOOK_AGAIN"):
        monkeypatch.setattr(tasks, name, 0.01)


def _jobs(*answers: Any) -> Any:
    jobs = create_autospec(Jobs, instance=True)
    jobs.run.return_value = NAME
    jobs.execution.side_effect = answers
    jobs.entries.side_effect = [UNREACHED, *({"entries": []} for _ in range(100))]
    return jobs


def _execution(*, completed: bool) -> Execution:
    return Execution(NAME, "https://log", completed, completed, 1.0 if completed else None, "")


def test_a_call_that_is_lost_is_made_again_and_cancels_nothing() -> None:
    running = _execution(completed=False)
    jobs = _jobs(running, UNREACHED, BUSY, running, _execution(completed=True))
    waiting = Waiting(Event(), settling=0)
    assert tasks.run(jobs, JOB, MIGRATE, waiting, lambda _: None).passed
    jobs.cancel.assert_not_called()


@pytest.mark.parametrize(("answers", "away"), [((DENIED,), 60.0), ((UNREACHED, UNREACHED), 0.0)])
def test_what_does_not_pass_ends_it(answers: tuple[Exception, ...], away: float) -> None:
    jobs = _jobs(*answers)
    with pytest.raises(SetupError):
        tasks.run(jobs, JOB, MIGRATE, Waiting(Event(), settling=0, away=away), lambda _: None)
    jobs.cancel.assert_called_once_with(NAME)
