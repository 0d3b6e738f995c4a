from __future__ import annotations

from typing import Any

import pytest

from curtainup.platforms.kubernetes import diagnosis
from curtainup.platforms.kubernetes.diagnosis import AT_ONCE, LATER, NEVER, SOON, Finding, Seen
from tests.platforms.kubernetes import shapes
from tests.platforms.kubernetes.shapes import CONTAINER, IMAGE

QUOTA = 'pods "shop-r1-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5'
LEVEL = (
    'pods "shop-r1-x" is forbidden: violates PodSecurity "restricted:latest": privileged (container "app")'
)
POLICY = 'admission webhook "policy.example" denied the request: images must be signed'
AWAY = 'Internal error occurred: failed calling webhook "policy.example": connection refused'


def _seen(*pods: dict[str, Any], failure: str = "", events: tuple[dict[str, Any], ...] = ()) -> Seen:
    return Seen(shapes.deployment(failure=failure), pods, events, CONTAINER, IMAGE, 8080)


def _only(seen: Seen) -> Finding:
    [found] = diagnosis.findings(seen)
    return found


def test_nothing_is_wrong_with_a_release_that_is_ready_or_still_starts() -> None:
    starting = shapes.waiting("ContainerCreating")
    assert diagnosis.findings(_seen(shapes.pod(), starting, shapes.unready({"running": {}}))) == []
    assert diagnosis.findings(_seen()) == []


@pytest.mark.parametrize(
    ("failure", "what", "fix", "lasts"),
    [
        (QUOTA, "the namespace's quota does not allow its pods: q, requested: pods=1", "more quota", SOON),
        (
            LEVEL,
            'level refuses its pods: "restricted:latest": privileged',
            "without what is refused",
            AT_ONCE,
        ),
        (
            POLICY,
            "the cluster's policy refuses its pods: images must be signed",
            "what the policy says",
            AT_ONCE,
        ),
        (AWAY, "an admission webhook of the cluster does not answer", "mend the webhook", LATER),
        ("serviceaccount not found", "the cluster makes no pods: serviceaccount not", "cluster says", SOON),
    ],
)
def test_who_refuses_pods_is_told_apart(failure: str, what: str, fix: str, lasts: float) -> None:
    found = _only(_seen(failure=failure))
    assert what in found.what
    assert fix in found.fix
    assert found.lasts == lasts


@pytest.mark.parametrize(
    ("reason", "message", "lasts", "fix"),
    [
        ("ErrImagePull", 'failed to resolve reference "x": x: not found', AT_ONCE, "reach the registry"),
        ("ImagePullBackOff", 'Back-off pulling image "x": 401 Unauthorized', AT_ONCE, "image_pull_secret"),
        ("ErrImagePull", "pull access denied, repository does not exist", AT_ONCE, "image_pull_secret"),
        ("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout", LATER, "reach the registry"),
        ("InvalidImageName", "couldn't parse image name", AT_ONCE, "reach the registry"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_certain_if_the_registry_says_so(
    reason: str, message: str, lasts: float, fix: str
) -> None:
    found = _only(_seen(shapes.waiting(reason, message)))
    assert found.what == f"the cluster cannot pull the image {IMAGE}"
    assert (found.lasts, found.detail, found.pod) == (lasts, message, "shop-r1-a")
    assert fix in found.fix


def test_a_container_that_exited_is_told_at_once_however_often_it_is_tried() -> None:
    for pod in (
        shapes.unready(shapes.ended(3)),
        shapes.waiting("CrashLoopBackOff", "back-off 10s restarting", restarts=1, last=shapes.ended(3)),
        shapes.unready({"running": {}}, restarts=1, last=shapes.ended(3)),
    ):
        found = _only(_seen(pod))
        assert (found.what, found.exited, found.lasts) == ("the release's container exited", True, AT_ONCE)


def test_a_pod_that_is_ready_again_is_well_whatever_was_before() -> None:
    again = shapes.pod(containerStatuses=[shapes.container({"running": {}}, 1, shapes.ended(3))])
    assert diagnosis.findings(_seen(again)) == []


def test_a_container_without_enough_memory_is_told_with_its_limit() -> None:
    found = _only(_seen(shapes.unready(shapes.ended(137, "OOMKilled"))))
    assert found.what == "the release's container was killed: it used more than its 128Mi of memory"
    assert "memory_limit" in found.fix


@pytest.mark.parametrize(
    "pod",
    [
        shapes.unready(shapes.ended(128, "StartError", 'runc create failed: exec: "/nope": no such file')),
        shapes.waiting("RunContainerError", 'failed to create shim task: exec: "/nope": no such file'),
    ],
)
def test_a_command_that_is_not_there_is_told_in_the_runtime_s_words(pod: dict[str, Any]) -> None:
    found = _only(_seen(pod))
    assert found.lasts == AT_ONCE
    assert found.what == 'the container\'s command cannot be started: exec: "/nope": no such file'
    assert not found.exited, "there is no log"


@pytest.mark.parametrize(
    ("message", "fix", "lasts"),
    [
        ("container has runAsNonRoot and image will run as root (pod: ...)", "run_as_user", AT_ONCE),
        ("container has runAsNonRoot and image has non-numeric user (app)", "run_as_user", AT_ONCE),
        ('secret "shop-0123456789" not found', "deploy again", SOON),
        ("something else", "cluster says", SOON),
    ],
)
def test_what_keeps_a_container_from_being_made_is_told(message: str, fix: str, lasts: float) -> None:
    found = _only(_seen(shapes.waiting("CreateContainerConfigError", message)))
    assert found.what.endswith(f": {message}")
    assert fix in found.fix
    assert found.lasts == lasts


def test_a_full_cluster_is_waited_for_only_if_a_node_is_being_added() -> None:
    full = shapes.unschedulable("0/3 nodes are available: 3 Insufficient memory.")
    found = _only(_seen(full))
    assert found.what.endswith("for a pod: 0/3 nodes are available: 3 Insufficient memory.")
    assert found.lasts == LATER
    growing = _only(_seen(full, events=(shapes.event("TriggeredScaleUp", "pod triggered scale-up"),)))
    assert growing.lasts == NEVER
    assert "a node is being added" in growing.fix


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 500", "answer 200"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 400", "health_host"),
        ('Startup probe failed: Get "http://10.0.0.9:8080/": dial tcp: connection refused', "0.0.0.0"),
    ],
)
def test_a_failing_probe_is_told_in_the_end_with_its_answer(said: str, fix: str) -> None:
    found = _only(_seen(shapes.unready({"running": {}}), events=(shapes.event("Unhealthy", said),)))
    assert (found.what, found.lasts) == (said, NEVER)
    assert fix in found.fix


def test_a_container_that_a_probe_ended_is_told_with_the_probe_s_answer() -> None:
    pod = shapes.unready({"running": {}}, restarts=1, last=shapes.ended(137))
    events = (
        shapes.event("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 503"),
        shapes.event("Killing", "Container app failed startup probe, will be restarted"),
    )
    found = _only(_seen(pod, events=events))
    assert "ended the container" in found.what
    assert found.what.endswith("statuscode: 503")


def test_a_pod_that_was_ended_is_only_told_in_the_end_as_another_one_comes() -> None:
    gone = shapes.pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    found = _only(_seen(gone))
    assert found.what == "a pod was ended: Evicted: The node was low on resource: memory."
    assert found.lasts == NEVER


def test_what_is_most_certain_comes_first() -> None:
    found = diagnosis.findings(_seen(shapes.unschedulable("full"), shapes.unready(shapes.ended(3))))
    assert [one.key for one in found] == ["exited", "unschedulable"]


def test_a_release_is_whole_only_as_it_is_declared_now() -> None:
    old = Seen(shapes.deployment(2, generation=3, observed=2), [shapes.pod()], (), CONTAINER, IMAGE, 8080)
    assert (old.ready, old.wanted, old.is_taken_on) == (1, 2, False)
