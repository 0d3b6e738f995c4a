from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.targets.kubernetes import tasks
from curtainup.util.process import Ended
from tests.accounts.api_server import Asked, Status
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import SECOND, Live

JOBS, PODS, EVENTS = (
    "/apis/batch/v1/namespaces/shop-live/jobs",
    "/api/v1/namespaces/shop-live/pods",
    "/api/v1/namespaces/shop-live/events",
)
DEPLOYMENT = f"/apis/apps/v1/namespaces/shop-live/deployments/shop-{SECOND.id}"
LOG = f"{PODS}/shop-r1-a/log"
MIGRATE = Task(name="migrate", command=("python", "migrate.py"), timeout=30)
TEMPLATE = {
    "metadata": {"labels": {"curtainup.release": SECOND.id}},
    "spec": {
        "serviceAccountName": "shop",
        "securityContext": {"runAsNonRoot": True},
        "topologySpreadConstraints": [{}],
        "terminationGracePeriodSeconds": 40,
        "containers": [
            {
                "name": "app",
                "image": SECOND.image,
                "env": [{"name": "VERSION", "value": "v"}],
                "resources": {"limits": {"memory": "128Mi"}},
                "readinessProbe": {},
                "lifecycle": {},
                "ports": [],
            }
        ],
    },
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK", "ENDING", "SETTLING"):
        monkeypatch.setattr(tasks, name, 0.05)


def _live(live: Live, *pods: dict[str, Any]) -> Live:
    """Give the pod of the task in one state after the other; the last one stays."""
    live.api.put(DEPLOYMENT, {"spec": {"template": TEMPLATE}})
    live.api.created[JOBS] = {"metadata": {"name": "task-migrate-x"}}
    live.api.items(EVENTS)
    left = list(pods)

    def answer(_: Asked) -> dict[str, Any]:
        return {"items": [left.pop(0) if len(left) > 1 else left[0]] if left else []}

    live.api.put(PODS, answer)
    live.api.put(LOG, b"2026-11-29T04:00:01.000000000Z begun\n2026-11-29T04:00:02.000000000Z done\n")
    return live


def _unheard(_line: str) -> None:
    """Take a line that the test does not look at."""


def _over(code: int, reason: str = "Error") -> dict[str, Any]:
    return shapes.pod(phase="Failed", containerStatuses=[shapes.container(shapes.ended(code, reason))])


RUNNING = shapes.unready({"running": {}})


def test_a_job_is_made_as_the_release_s_pods_are_and_no_service_finds_it(live: Live) -> None:
    lines: list[str] = []
    ran = _live(live, shapes.waiting("ContainerCreating"), RUNNING, _over(0)).target.run_task(
        SECOND, MIGRATE, lines.append
    )
    assert ran.passed
    assert lines == ["begun", "done"]
    assert ran.place == "Job task-migrate-x in namespace shop-live"
    [made] = live.api.of("POST")
    job = made.body
    assert job["metadata"]["generateName"] == "task-migrate-"
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 30 + tasks.STARTING
    pod = job["spec"]["template"]
    run = live.world.session.run.id
    labels = {"curtainup.service": "shop", "curtainup.environment": "live"}
    assert pod["metadata"]["labels"] == {**labels, "curtainup.task": "migrate", "curtainup.run": run}
    assert pod["spec"] == {
        "serviceAccountName": "shop",
        "securityContext": {"runAsNonRoot": True},
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": live.target.config.stop_timeout,
        "containers": [
            {
                "name": "app",
                "image": SECOND.image,
                "env": [{"name": "VERSION", "value": "v"}],
                "resources": {"limits": {"memory": "128Mi"}},
                "args": ["python", "migrate.py"],
            }
        ],
    }
    [gone] = live.api.of("DELETE")
    assert (gone.path, gone.query) == (f"{JOBS}/task-migrate-x", {"propagationPolicy": "Background"})


@pytest.mark.parametrize(
    ("over", "code", "why", "fix"),
    [
        (_over(3), 3, "", ""),
        (_over(127), 127, "its command was not found", "check the command"),
        (_over(137, "OOMKilled"), 137, "it used more than its 128Mi of memory", "memory_limit"),
        (_over(128, "StartError"), 128, "its command cannot be started", "check the command"),
    ],
)
def test_a_task_that_fails_says_how(live: Live, over: dict[str, Any], code: int, why: str, fix: str) -> None:
    ran = _live(live, over).target.run_task(SECOND, MIGRATE, _unheard)
    assert (ran.code, ran.ended, ran.passed, ran.why) == (code, Ended.BY_ITSELF, False, why)
    assert fix in ran.fix


def test_a_task_that_takes_too_long_is_stopped(live: Live) -> None:
    short = MIGRATE.model_copy(update={"timeout": 0})
    ran = _live(live, RUNNING).target.run_task(SECOND, short, _unheard)
    assert (ran.code, ran.ended) == (None, Ended.TIMED_OUT)
    assert len(live.api.of("DELETE")) == 1


def test_a_task_ends_with_the_run(live: Live) -> None:
    live.world.session.run.cancelled.set()
    ran = _live(live, RUNNING).target.run_task(SECOND, MIGRATE, _unheard)
    assert (ran.code, ran.ended) == (None, Ended.STOPPED)
    assert len(live.api.of("DELETE")) == 1


def _refusal(live: Live) -> SetupError:
    with pytest.raises(SetupError) as caught:
        live.target.run_task(SECOND, MIGRATE, _unheard)
    assert caught.value.consequence == "the release gets no traffic, and the environment is put back"
    return caught.value


def test_a_task_that_cannot_begin_is_told_with_the_reason_and_removed(live: Live) -> None:
    image = shapes.waiting("ErrImagePull", "manifest unknown: not found")
    error = _refusal(_live(live, image))
    assert error.what.startswith("a task could not be run: the cluster cannot pull the image")
    assert len(live.api.of("DELETE")) == 1


def test_a_quota_that_refuses_the_task_s_pod_is_told(live: Live) -> None:
    event = shapes.event("FailedCreate", 'violates PodSecurity "restricted": no', name="task-migrate-x")
    _live(live).api.items(EVENTS, event)
    assert "Pod Security level refuses its pods" in _refusal(live).what


def test_a_task_that_is_not_begun_in_time_is_given_up(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STARTING", 0)
    assert _refusal(_live(live)).what == "a task could not be run: it did not begin within 0 s"


def test_without_the_release_no_task_runs(live: Live) -> None:
    assert _refusal(live).what == "a task could not be run: the release's Deployment is gone"
    assert live.api.of("POST") == []


def test_a_job_that_is_refused_is_told_in_the_cluster_s_words(live: Live) -> None:
    _live(live).api.created[JOBS] = Status(422, "Invalid", "spec.template: Invalid value")
    error = _refusal(live)
    assert (error.what, error.detail) == (
        "a task could not be run: the cluster refuses its Job",
        "spec.template: Invalid value",
    )


def test_tasks_that_a_killed_run_has_left_are_ended_and_waited_for(live: Live) -> None:
    live.api.items(JOBS, {"metadata": {"name": "task-migrate-old"}})
    live.api.items(PODS, _over(1))
    live.target.end_tasks()
    [gone] = live.api.of("DELETE")
    selector = "curtainup.task,curtainup.service=shop,curtainup.environment=live"
    assert gone.path == JOBS
    assert gone.query == {"labelSelector": selector, "propagationPolicy": "Background"}


def test_without_such_tasks_nothing_is_deleted(live: Live) -> None:
    live.api.items(JOBS)
    live.target.end_tasks()
    assert live.api.of("DELETE") == []


def test_a_line_is_told_while_the_task_still_runs(live: Live) -> None:
    told = threading.Event()
    on_line: Callable[[str], None] = lambda _: told.set()  # noqa: E731

    def until_told(_: Asked) -> dict[str, Any]:
        return {"items": [_over(0) if told.is_set() else RUNNING]}

    _live(live).api.put(PODS, until_told)
    assert live.target.run_task(SECOND, MIGRATE, on_line).passed
