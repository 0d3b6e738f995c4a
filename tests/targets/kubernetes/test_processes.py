from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from curtainup.config.tasks import Task
from curtainup.errors import RefusedError, SetupError
from curtainup.model.process import Process
from curtainup.model.process_state import ENDED, RESTARTING, RUNNING, STARTING, ProcessState
from curtainup.model.release import Release
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.targets import command
from curtainup.targets.kubernetes import jobs, tasks
from curtainup.targets.kubernetes.logs import KubernetesLogs
from curtainup.targets.kubernetes.processes import KubernetesProcesses
from curtainup.targets.log_lines import Asked
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import FIRST, SETTINGS, Live

PODS = "/api/v1/namespaces/shop-live/pods"
WORKER = Process(name="worker", command=("work",), count=2, memory_mb=64, stop_timeout=1, settle=1)
RELEASE = FIRST.model_copy(update={"settings": SETTINGS.model_copy(update={"processes": (WORKER,)})})
ENDED_WITH_1 = {"terminated": {"exitCode": 1, "reason": "Error"}}


def _pod(name: str, release: Release = RELEASE, **changed: Any) -> dict[str, Any]:
    found = shapes.pod(name, **changed)
    labels = {"curtainup.process": "worker", "curtainup.works-for": release.id}
    return {**found, "metadata": {"name": name, "uid": name, "labels": labels}}


def _states(live: Live) -> list[ProcessState]:
    return live.target.process_states(RELEASE)


def test_each_copy_is_a_pod_and_one_that_has_none_is_still_to_come(live: Live) -> None:
    live.api.items(PODS, _pod("shop-process-worker-a"))
    first, second = _states(live)
    assert (first.state, first.number, first.restarts) == (RUNNING, 1, 0)
    assert str(first.place).startswith("pod shop-process-worker-a, namespace shop-live")
    assert (second.state, second.number) == (STARTING, 2)


def test_pods_that_have_to_go_do_not_count(live: Live) -> None:
    leaving = _pod("a")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-29T04:00:00Z"
    live.api.items(PODS, leaving)
    assert [one.state for one in _states(live)] == [STARTING, STARTING]


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        (shapes.container(ENDED_WITH_1), ENDED, "exit code 1"),
        (
            shapes.container({"waiting": {"reason": "CrashLoopBackOff"}}, 3, ENDED_WITH_1),
            RESTARTING,
            "exit code 1",
        ),
        (shapes.container({"waiting": {"reason": "ImagePullBackOff"}}), STARTING, "ImagePullBackOff"),
        (
            shapes.container({"running": {}}, 1, {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            RUNNING,
            "it used more than its memory",
        ),
    ],
)
def test_what_the_cluster_says_of_a_container(live: Live, status: Any, state: str, why: str) -> None:
    live.api.items(PODS, _pod("a", containerStatuses=[status]))
    first = _states(live)[0]
    assert (first.state, first.why, first.restarts) == (state, why, status["restartCount"])


def test_seconds_are_counted_here_from_each_start_on(live: Live) -> None:
    """The cluster's clock may differ from that of this machine."""
    now = 100.0
    processes = KubernetesProcesses(clock=lambda: now)
    space = live.target._space
    live.api.items(PODS, _pod("a"))
    assert processes.states(space, RELEASE)[0].seconds == 0
    now = 107.0
    assert processes.states(space, RELEASE)[0].seconds == 7
    live.api.items(PODS, _pod("a", containerStatuses=[shapes.container({"running": {}}, 1)]))
    assert processes.states(space, RELEASE)[0].seconds == 0


def test_it_is_well_once_the_cluster_has_seen_its_command_pass(live: Live) -> None:
    started = {**shapes.container({"running": {}}), "started": True}
    live.api.items(PODS, _pod("a", containerStatuses=[started]), _pod("b"))
    assert live.target.process_trouble(RELEASE, WORKER, 1) is None
    assert "health command" in str(live.target.process_trouble(RELEASE, WORKER, 2))


def test_what_it_wrote_is_shown(live: Live) -> None:
    live.api.items(PODS, _pod("a"))
    live.api.put(f"{PODS}/a/log", b"2026-11-29T04:00:01.000000000Z no queue\n")
    assert live.target.process_log(RELEASE, WORKER, 1) == "no queue"
    assert live.target.process_log(RELEASE, WORKER, 2) == "(it has no pod)"


def test_its_lines_name_the_copy(live: Live) -> None:
    live.api.items(PODS, _pod("shop-process-worker-5f-x7k2p"))
    live.api.put(f"{PODS}/shop-process-worker-5f-x7k2p/log", b"2026-11-29T04:00:01.000000000Z at work\n")
    source = KubernetesLogs(live.world.session, live.environment)
    [line] = source.lines(Asked(process="worker"))
    assert (line.release, line.process, line.text) == (FIRST.id, "worker.x7k2p", "at work")


# Commands


def test_a_command_is_a_job_like_the_process_s_pods(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[jobs.Place] = []

    def run(_cluster: object, place: jobs.Place, task: Task, _means: object) -> Ran:
        places.append(place)
        return Ran(7, Ended.BY_ITSELF, task.name)

    monkeypatch.setattr(tasks, "run", run)
    asked = command.Asked(("sh",), process=WORKER, say=lambda _: None)
    assert live.target.execute(RELEASE, asked) == 7
    [place] = places
    assert (place.deployment, place.grace, place.mark) == ("shop-process-worker", 1, "curtainup.exec")
    assert (place.process, place.release) == ("worker", RELEASE.id)


def test_a_process_whose_deployment_is_another_release_s_by_now_is_not_run_as(live: Live) -> None:
    """What is recorded is what runs: all releases share the Deployment of a process."""
    path = "/apis/apps/v1/namespaces/shop-live/deployments/shop-process-worker"
    labels = {"curtainup.process": "worker", "curtainup.works-for": "r0000002"}
    live.api.put(path, {"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": []}}}})
    asked = command.Asked(("sh",), process=WORKER, say=lambda _: None)

    with pytest.raises(RefusedError) as caught:
        live.target.execute(RELEASE, asked)

    assert caught.value.what.startswith(f"process worker of {RELEASE.id} is not there")
    assert caught.value.consequence == "the command did not start"
    assert not live.api.of("POST")


def test_a_command_enters_the_pod_of_the_copy_that_is_named(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[str] = []

    def enter(_self: Cluster, path: str, container: str, words: Sequence[str], _terminal: object) -> Any:
        entered.append(path)
        raise Refused(403, "Forbidden", f"no {words[0]} in {container}")

    monkeypatch.setattr(Cluster, "entered", enter)
    live.api.items(PODS, _pod("b"), _pod("a"))
    for number in (1, 2):
        asked = command.Asked(("sh",), attach=True, process=WORKER, number=number)
        with pytest.raises(SetupError, match="lets nobody into the pod"):
            live.target.execute(RELEASE, asked)
    assert entered == [f"{PODS}/a", f"{PODS}/b"]


@pytest.mark.parametrize("pods", [[], [_pod("a", containerStatuses=[shapes.container({"waiting": {}})])]])
def test_a_command_enters_no_copy_that_does_not_run(live: Live, pods: list[dict[str, Any]]) -> None:
    live.api.items(PODS, *pods)
    with pytest.raises(SetupError, match="no pod of the process runs"):
        live.target.execute(RELEASE, command.Asked(("sh",), attach=True, process=WORKER))
