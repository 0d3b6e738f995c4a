from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from curtainup.config.tasks import Task
from curtainup.errors import Interrupted, SetupError
from curtainup.platforms.kubernetes import cluster, diagnosis, patience
from curtainup.targets import command
from curtainup.targets.kubernetes import jobs, tasks
from curtainup.targets.kubernetes.target import KubernetesTarget
from curtainup.util.process import Ended
from curtainup.util.terminal import Terminal
from tests.accounts.api_server import Asked, Status
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import SECOND, Live

JOBS, PODS, EVENTS = (
    "/apis/batch/v1/namespaces/shop-live/jobs",
    "/api/v1/namespaces/shop-live/pods",
    "/api/v1/namespaces/shop-live/events",
)
DEPLOYMENT = f"/apis/apps/v1/namespaces/shop-live/deployments/shop-{SECOND.id}"
LOG, JOB = f"{PODS}/shop-r1-a/log", f"{JOBS}/task-migrate-x"
AWAY = Status(503, "ServiceUnavailable", "etcd is away")
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
    for module, name in ((tasks, "LOOK"), (tasks, "SETTLING"), (jobs, "LOOK"), (jobs, "ENDING")):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(patience, "PAUSE", 0.01)
    monkeypatch.setattr(secrets, "token_hex", lambda _: "x")


def _live(live: Live, *pods: dict[str, Any]) -> Live:
    """Give the pod of the task in one state after the other; the last one stays."""
    live.api.put(DEPLOYMENT, {"spec": {"template": TEMPLATE}})
    live.api.put(JOB, {"metadata": {"name": "task-migrate-x"}})
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
    assert job["metadata"]["name"] == "task-migrate-x"
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 30 + jobs.STARTING
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


def test_a_task_whose_node_is_lost_is_not_waited_for(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "LATER", 0.2)
    found = _live(live, shapes.given_to("n3", taken_on=False))
    found.api.put("/api/v1/nodes/n3", shapes.node("n3", "Unknown", "Kubelet stopped posting node status."))
    assert "the node n3 does not answer" in _refusal(found).what


def test_a_quota_that_refuses_the_task_s_pod_is_told(live: Live) -> None:
    event = shapes.event("FailedCreate", 'violates PodSecurity "restricted": no', name="task-migrate-x")
    _live(live).api.items(EVENTS, event)
    assert "Pod Security level refuses its pods" in _refusal(live).what


def test_a_task_that_is_not_begun_in_time_is_given_up(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STARTING", 0)
    assert _refusal(_live(live)).what == "a task could not be run: it did not begin within 0 s"


def test_a_task_waits_for_a_node_where_nodes_come_for_pods(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "LATER", 0.0)
    full = shapes.unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    assert "no node has room" in _refusal(_live(live, full)).what
    monkeypatch.setattr(KubernetesTarget, "node_seconds", lambda _: 300.0)
    _live(live, full, full, RUNNING, _over(0, "Completed"))
    assert live.target.run_task(SECOND, MIGRATE, _unheard).code == 0


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


def _warnings(live: Live) -> list[str]:
    return live.world.report.warnings


def test_a_task_goes_on_while_the_api_server_is_away(live: Live) -> None:
    """A migration that is cut in half is worse than one that nobody looks at for a while."""
    answers: list[Any] = [RUNNING, AWAY, AWAY, RUNNING, AWAY, _over(0)]
    _live(live)

    def answer(_: Asked) -> Any:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if found is AWAY:
            assert live.api.of("DELETE") == []
        return found if found is AWAY else {"items": [found]}

    live.api.put(PODS, answer)
    assert live.target.run_task(SECOND, MIGRATE, _unheard).passed
    assert len(live.api.of("DELETE")) == 1
    assert _warnings(live) == []


def test_a_task_whose_end_nobody_can_tell_stays(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AWAY", 0.1)
    short = MIGRATE.model_copy(update={"timeout": 1})
    answers: list[Any] = [{"items": [RUNNING]}, AWAY]
    _live(live).api.put(PODS, lambda _: answers.pop(0) if len(answers) > 1 else answers[0])
    with pytest.raises(SetupError, match="nobody can tell whether a task has ended"):
        live.target.run_task(SECOND, short, _unheard)
    assert live.api.of("DELETE") == []
    [warning] = _warnings(live)
    assert warning.startswith("task migrate may still run as Job task-migrate-x in namespace shop-live")


def test_a_refusal_that_does_not_pass_ends_the_looking_and_not_the_task(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "AWAY", 0.1)
    _live(live).api.put(PODS, Status(403, "Forbidden", 'pods is forbidden: User "ann" cannot list'))
    with pytest.raises(SetupError, match="nobody can tell") as caught:
        live.target.run_task(SECOND, MIGRATE, _unheard)
    assert "does not allow what a deployment needs" in str(caught.value.detail)
    assert live.api.of("DELETE") == []


def test_a_job_whose_answer_was_lost_is_not_made_twice(live: Live) -> None:
    answers = iter([AWAY, Status(409, "AlreadyExists", 'jobs.batch "task-migrate-x" already exists')])
    _live(live, _over(0)).api.created[JOBS] = lambda _: next(answers)
    assert live.target.run_task(SECOND, MIGRATE, _unheard).passed
    first, second = live.api.of("POST")
    assert first.body == second.body


def test_a_job_that_cannot_be_removed_is_told_and_the_task_counts(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "REMOVING", 0.1)
    _live(live, _over(0)).api.deleted[JOB] = AWAY
    assert live.target.run_task(SECOND, MIGRATE, _unheard).passed
    [warning] = _warnings(live)
    assert warning.startswith("Job task-migrate-x in namespace shop-live could not be removed")


def test_a_task_that_is_stopped_gets_the_time_that_its_pod_has(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ENDING", 0.0)
    live.world.session.run.cancelled.set()
    slow = {**RUNNING, "spec": {**RUNNING["spec"], "terminationGracePeriodSeconds": 1}}
    _live(live, slow).target.run_task(SECOND, MIGRATE, _unheard)
    [warning] = _warnings(live)
    assert warning.startswith("Job task-migrate-x in namespace shop-live was told to end, and its pod still")


@pytest.mark.parametrize(
    ("conditions", "detail"),
    [([{"type": "Failed", "status": "True", "message": "its node is gone"}], "its node is gone"), (None, "")],
)
def test_a_task_whose_pod_is_gone_was_cut_off(
    live: Live, conditions: list[dict[str, str]] | None, detail: str
) -> None:
    answers: list[Any] = [{"items": [RUNNING]}, {"items": []}]
    _live(live).api.put(PODS, lambda _: answers.pop(0) if len(answers) > 1 else answers[0])
    status = {"conditions": conditions}
    job = {"metadata": {"name": "task-migrate-x"}, "status": status} if conditions else None
    live.api.put(JOB, job or Status(404, "NotFound", "gone"))
    with pytest.raises(SetupError, match="the cluster ended a task before its own end") as caught:
        live.target.run_task(SECOND, MIGRATE, _unheard)
    assert detail in str(caught.value.detail)
    assert "what it has changed stays changed" in str(caught.value.consequence)


def test_a_task_that_completed_counts_though_its_pod_is_gone(live: Live) -> None:
    answers: list[Any] = [{"items": [RUNNING]}, {"items": []}]
    _live(live).api.put(PODS, lambda _: answers.pop(0) if len(answers) > 1 else answers[0])
    live.api.put(JOB, {"status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    assert live.target.run_task(SECOND, MIGRATE, _unheard).passed


def test_an_evicted_task_was_cut_off(live: Live) -> None:
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}
    pod = {"metadata": {"name": "shop-r1-a"}, "status": evicted}
    with pytest.raises(SetupError, match="ended a task before its own end") as caught:
        _live(live, pod).target.run_task(SECOND, MIGRATE, _unheard)
    assert caught.value.detail == "the node was low on memory"


def test_a_task_of_a_killed_run_that_does_not_end_keeps_the_next_one_from_beginning(live: Live) -> None:
    live.api.items(JOBS, {"metadata": {"name": "task-migrate-old"}})
    live.api.items(PODS, RUNNING)
    with pytest.raises(SetupError, match="has left does not end"):
        live.target.end_tasks()
    live.world.session.run.cancelled.set()
    with pytest.raises(Interrupted):
        live.target.end_tasks()


def test_which_failures_may_pass() -> None:
    refusals = {
        code: cluster.may_pass(cluster.Refused(code, "", "")) for code in (429, 500, 503, 403, 404, 409)
    }
    assert refusals == {429: True, 500: True, 503: True, 403: False, 404: False, 409: False}
    assert cluster.may_pass(cluster.Away("away"))
    assert not cluster.may_pass(SetupError("no credentials"))


def test_a_command_is_a_job_with_a_mark_of_its_own_which_no_deployment_ends(live: Live) -> None:
    said: list[str] = []
    found = _live(live, RUNNING, _over(41))
    found.api.put(f"{JOBS}/task-exec-x", {"metadata": {"name": "task-exec-x"}})
    asked = command.Asked(
        ("sh", "-c", "exit $((40 + 1))"), terminal=Terminal(stdout=os.open(os.devnull, os.O_WRONLY))
    )
    asked = replace(asked, say=said.append)
    assert found.target.execute(SECOND, asked) == 41
    os.close(asked.terminal.stdout)
    [made] = live.api.of("POST")
    labels = made.body["spec"]["template"]["metadata"]["labels"]
    assert labels["curtainup.exec"] == "exec"
    assert "curtainup.task" not in labels
    assert made.body["spec"]["template"]["spec"]["containers"][0]["args"] == ["sh", "-c", "exit $$((40 + 1))"]
