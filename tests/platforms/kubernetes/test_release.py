from __future__ import annotations

from typing import Any

import pytest

from curtainup.errors import ReleaseUnhealthy
from curtainup.model.trouble import Trouble
from curtainup.platforms.kubernetes import losses
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.diagnosis import LATER
from curtainup.platforms.kubernetes.losses import Losses
from curtainup.platforms.kubernetes.release import LOOK_EVERY, PASSING, Place, ReleasePods
from tests.accounts.api_server import Api, Asked, Status
from tests.platforms.kubernetes import shapes
from tests.platforms.kubernetes.shapes import CONTAINER, IMAGE

BASE = "/api/v1/namespaces/shop-live"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop-live/deployments/shop-r1"
PLACE = Place("shop-live", "shop-r1", "curtainup.release=r1", CONTAINER, IMAGE, 8080)
SILENT = Trouble("GET /ping: connection refused", "give it more time")
TRACE = """\
Traceback (most recent call last):
  File "/app/server.py", line 3, in <module>
    os.environ["DB"]
KeyError: 'DB'
"""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _give(
    api: Api, *pods: dict[str, Any], events: tuple[dict[str, Any], ...] = (), **deployment: Any
) -> None:
    api.put(DEPLOYMENT, shapes.deployment(**deployment))
    api.items(f"{BASE}/pods", *pods)
    api.items(f"{BASE}/events", *events)


def _unhealthy(release: ReleasePods) -> ReleaseUnhealthy:
    with pytest.raises(ReleaseUnhealthy) as caught:
        release.raise_if_down()
    return caught.value


def test_a_release_that_is_ready_is_asked_about_two_times_and_no_more(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.pod())
    release = ReleasePods(cluster, PLACE)
    release.raise_if_down()
    assert [one.path for one in api.asked] == [DEPLOYMENT, f"{BASE}/pods"]
    assert api.asked[1].query == {"labelSelector": "curtainup.release=r1"}
    release.raise_if_down()
    assert len(api.asked) == 2, "not a second time in the same second"


SILENT_NODE = "Kubelet stopped posting node status."


@pytest.mark.parametrize("was_whole", [False, True])
@pytest.mark.parametrize("taken_on", [False, True])
def test_a_node_that_does_not_answer_is_told_after_some_seconds(
    cluster: Cluster, api: Api, *, taken_on: bool, was_whole: bool
) -> None:
    lost = shapes.event("NodeNotReady", "Node is not ready")
    _give(api, shapes.given_to("n3", taken_on=taken_on), events=(lost,), was_whole=was_whole)
    api.put("/api/v1/nodes/n3", shapes.node("n3", "Unknown", SILENT_NODE))
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    release.raise_if_down()
    clock.now += LATER
    error = _unhealthy(release)
    assert error.what == f"the node n3 does not answer: {SILENT_NODE} A pod of the release is to run there."
    assert "run the command again" in str(error.fix)


def test_a_node_that_answers_again_is_no_trouble(cluster: Cluster, api: Api) -> None:
    old = shapes.event("NodeNotReady", "Node is not ready")
    _give(api, shapes.given_to("n3", taken_on=True), events=(old,))
    api.put("/api/v1/nodes/n3", shapes.node("n3"))
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    release.raise_if_down()
    clock.now += LATER
    release.raise_if_down()


def test_a_deployer_who_may_not_look_at_nodes_is_told_in_the_end(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.given_to("n3", taken_on=False))
    api.put("/api/v1/nodes/n3", Status(403, "Forbidden", "nodes is forbidden"))
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    release.raise_if_down()
    clock.now += LATER
    release.raise_if_down()
    error = release.unhealthy("", 60, SILENT)
    assert "the node n3 has not taken on a pod of the release" in error.what


def test_nobody_asks_for_the_node_of_a_pod_that_starts(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.given_to("n1", taken_on=True))
    ReleasePods(cluster, PLACE).raise_if_down()
    assert [one.path for one in api.asked] == [DEPLOYMENT, f"{BASE}/pods", f"{BASE}/events"]


def test_a_container_that_exited_is_explained_by_its_last_lines(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.waiting("CrashLoopBackOff", restarts=1, last=shapes.ended(3)))
    api.put(f"{BASE}/pods/shop-r1-a/log", f"secret\n{TRACE}".encode())
    error = _unhealthy(ReleasePods(cluster, PLACE, redact=lambda text: text.replace("secret", "***")))
    assert error.what == "the release's container exited with code 3: KeyError: 'DB'"
    assert error.fix == "correct the error that its output names"
    assert str(error.detail).endswith("KeyError: 'DB'")
    assert str(error.where).startswith("pod shop-r1-a in namespace shop-live, cluster of context shop")
    assert api.asked[-1].query == {"container": "app", "tailLines": "500", "previous": "true"}


def test_the_log_of_a_container_that_was_not_yet_tried_again_is_its_own(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.unready(shapes.ended(0)))
    api.put(f"{BASE}/pods/shop-r1-a/log", b"bye secret\n")
    error = _unhealthy(ReleasePods(cluster, PLACE, redact=lambda text: text.replace("secret", "***")))
    assert error.what == "the release's container exited with code 0"
    assert "run the server in the foreground" in str(error.fix)
    assert error.detail == "bye ***"
    assert "previous" not in api.asked[-1].query


def test_a_log_that_is_gone_hides_no_error(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.waiting("CrashLoopBackOff", restarts=1, last=shapes.ended(1)))
    error = _unhealthy(ReleasePods(cluster, PLACE))
    assert error.what == "the release's container exited with code 1"
    assert str(error.detail).startswith("(its log cannot be read: ")


def test_a_missing_permission_names_the_user(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.unready(shapes.ended(1)))
    api.put(f"{BASE}/pods/shop-r1-a/log", b"PermissionError: [Errno 13] Permission denied: '/data'\n")
    assert "the service runs as user 10001" in str(_unhealthy(ReleasePods(cluster, PLACE)).fix)


def test_what_may_go_away_has_to_last(cluster: Cluster, api: Api) -> None:
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    full = shapes.unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    _give(api, full)
    release.raise_if_down()
    clock.now += 7
    release.raise_if_down()
    _give(api, shapes.waiting("ContainerCreating"))
    clock.now += LOOK_EVERY
    release.raise_if_down()
    _give(api, full)
    clock.now += LOOK_EVERY
    release.raise_if_down()
    clock.now += 8
    error = _unhealthy(release)
    assert error.what == "no node has room for a pod: 0/1 nodes are available: 1 Insufficient cpu."
    assert "memory_limit" in str(error.fix)


def test_where_nodes_come_for_pods_a_full_cluster_is_never_certain(cluster: Cluster, api: Api) -> None:
    """The seconds until a node is there are not the release's own, up to those that it may take."""
    clock = Clock()
    release = ReleasePods(cluster, PLACE, node_seconds=300, clock=clock)
    _give(api, shapes.unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
    for _ in range(100):
        release.raise_if_down()
        clock.now += 2
    assert release.delay() == 198
    _give(api, shapes.waiting("ContainerCreating"))
    release.raise_if_down()
    clock.now += 50
    release.raise_if_down()
    assert release.delay() == 200
    _give(api, shapes.unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
    for _ in range(100):
        release.raise_if_down()
        clock.now += 2
    assert release.delay() == 300
    assert ReleasePods(cluster, PLACE).delay() == 0


def test_only_the_events_of_its_own_pods_count(cluster: Cluster, api: Api) -> None:
    other = shapes.event("Unhealthy", "of another", name="shop-r2-a")
    own = shapes.event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
    _give(api, shapes.unready({"running": {}}), events=(other, own))
    found = ReleasePods(cluster, PLACE).seen()
    assert [one["message"] for one in found.events] == [own["message"]]


def test_an_api_server_that_is_away_for_a_moment_says_nothing_of_the_release(
    cluster: Cluster, api: Api
) -> None:
    api.everything = Status(503, "ServiceUnavailable", "etcd leader changed")
    release = ReleasePods(cluster, PLACE)
    release.raise_if_down()
    found = release.lacks()
    assert found is not None
    assert "etcd leader changed" in found.what
    error = release.unhealthy("http://x", 30, SILENT)
    assert error.what.startswith("the release did not answer within 30 s")
    assert "its pods cannot be read" in str(error.detail)


def test_a_deployment_that_somebody_removed_ends_the_wait(cluster: Cluster, api: Api) -> None:
    error = _unhealthy(ReleasePods(cluster, PLACE))
    assert error.what == "the release's Deployment is gone"
    assert str(error.where).startswith("Deployment shop-r1 in namespace shop-live")
    assert api.asked


def test_an_answer_is_not_enough_until_all_pods_are_ready(cluster: Cluster, api: Api) -> None:
    release = ReleasePods(cluster, PLACE)
    _give(api, shapes.pod(), shapes.unready({"running": {}}), replicas=2)
    lacking = release.lacks()
    assert lacking is not None
    assert lacking.what == "1 of 2 pods are ready"
    _give(api, shapes.pod("a"), shapes.pod("b"), replicas=2)
    assert release.lacks() is None
    _give(api, shapes.pod("a"), shapes.pod("b"), replicas=2, generation=2, observed=1)
    assert release.lacks() is not None, "the cluster has not begun to make what is declared now"


def test_in_the_end_a_failing_probe_is_told_with_its_answer(cluster: Cluster, api: Api) -> None:
    said = "Readiness probe failed: HTTP probe failed with statuscode: 400"
    _give(api, shapes.unready({"running": {}}), events=(shapes.event("Unhealthy", said),))
    lacking = Trouble("0 of 1 pods are ready", "see why", answered=True)
    error = ReleasePods(cluster, PLACE).unhealthy("http://x", 60, lacking)
    assert error.what == f"the release did not get ready within 60 s: {said}"
    assert "health_host" in str(error.fix)


def test_a_wrong_answer_of_the_service_itself_is_told_as_everywhere(cluster: Cluster, api: Api) -> None:
    said = "Startup probe failed: HTTP probe failed with statuscode: 404"
    _give(api, shapes.unready({"running": {}}), events=(shapes.event("Unhealthy", said),))
    api.put(f"{BASE}/pods/shop-r1-a/log", b"GET /ping 404\n")
    trouble = Trouble("GET /ping: HTTP 404", "set health_path", answered=True, lasting=True)
    error = ReleasePods(cluster, PLACE).unhealthy("http://x", 10, trouble)
    assert error.what == trouble.headline(10)
    assert error.detail == "GET /ping 404"


def test_a_service_that_listens_nowhere_is_told_the_port(cluster: Cluster, api: Api) -> None:
    _give(api, shapes.unready({"running": {}}))
    api.put(f"{BASE}/pods/shop-r1-a/log", b"ready\n")
    refused = "failed to connect to localhost:8080 inside namespace: connection refused"
    error = ReleasePods(cluster, PLACE, lambda: refused).unhealthy("http://x", 60, SILENT)
    assert error.what == "the release did not answer within 60 s: it does not listen on PORT=8080"
    assert "0.0.0.0" in str(error.fix)


def test_warnings_of_the_cluster_are_shown_where_there_is_no_log(cluster: Cluster, api: Api) -> None:
    mount = shapes.event("FailedMount", 'MountVolume failed: secret "x" not found')
    _give(api, shapes.waiting("CreateContainerError", "volume"), events=(mount,))

    def pods(_asked: Asked) -> dict[str, Any]:
        return {"items": [shapes.waiting("CreateContainerError", "volume")]}

    api.put(f"{BASE}/pods", pods)
    error = ReleasePods(cluster, PLACE).unhealthy("http://x", 60, SILENT)
    assert 'FailedMount: MountVolume failed: secret "x" not found' in str(error.detail)


CRASHED = shapes.waiting("CrashLoopBackOff", restarts=4, last=shapes.ended(1))


def test_a_kept_release_may_lack_the_pod_that_its_disruption_budget_lets_go(
    cluster: Cluster, api: Api
) -> None:
    """A rollback is not refused because a node is being emptied, or a pod has just started again."""
    _give(api, CRASHED, shapes.pod("a"), shapes.pod("b"), replicas=3, was_whole=True)
    release = ReleasePods(cluster, PLACE)
    release.raise_if_down()
    assert release.lacks() is None
    _give(api, CRASHED, shapes.pod("a"), shapes.pod("b"), replicas=3)
    assert release.lacks() is not None, "a new one needs all"
    with pytest.raises(ReleaseUnhealthy):
        ReleasePods(cluster, PLACE).raise_if_down()


def test_a_kept_release_needs_enough_pods(cluster: Cluster, api: Api) -> None:
    _give(api, CRASHED, CRASHED, shapes.pod("b"), replicas=3, was_whole=True)
    lacks = ReleasePods(cluster, PLACE).lacks()
    assert lacks is not None
    assert lacks.what == "1 of 3 pods are ready"
    _give(api, CRASHED, replicas=1, was_whole=True)
    assert ReleasePods(cluster, PLACE).lacks() is not None, "the only one is needed"


def test_a_kept_release_s_pod_has_time_to_start_again(cluster: Cluster, api: Api) -> None:
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    _give(api, CRASHED, was_whole=True)
    release.raise_if_down()
    clock.now += PASSING - LOOK_EVERY
    release.raise_if_down()
    clock.now += 2 * LOOK_EVERY
    assert "exited with code 1" in _unhealthy(release).what


LOST = "/api/v1/nodes/n3"


def _with_losses(cluster: Cluster, clock: Clock, told: list[str], serving: int) -> ReleasePods:
    losses = Losses(cluster, "shop-live", "v1", lambda: serving, told.append, clock)
    return ReleasePods(cluster, PLACE, losses=losses, clock=clock)


def _lose_two_of_four(api: Api, *others: dict[str, Any], was_whole: bool = True) -> None:
    lost = [shapes.given_to("n3", taken_on=True, name=name) for name in ("c", "d")]
    _give(api, shapes.pod("a"), shapes.pod("b"), *lost, *others, replicas=4, was_whole=was_whole)
    api.put(LOST, shapes.node("n3", "Unknown", SILENT_NODE))
    for name in ("c", "d"):
        api.put(f"{BASE}/pods/{name}", shapes.pod(name))


def test_pods_of_a_kept_release_on_a_lost_node_are_made_anew_once(cluster: Cluster, api: Api) -> None:
    _lose_two_of_four(api)
    told: list[str] = []
    release = _with_losses(cluster, Clock(), told, serving=4)
    release.raise_if_down()
    assert release.lacks() is not None
    assert [one.path for one in api.of("DELETE")] == [f"{BASE}/pods/c", f"{BASE}/pods/d"]
    assert told == ["pods of v1 are on n3, which does not answer; starting them elsewhere"]


def test_a_kept_release_gets_the_traffic_with_as_many_pods_as_serve_now(cluster: Cluster, api: Api) -> None:
    _lose_two_of_four(api)
    told: list[str] = []
    assert _with_losses(cluster, Clock(), told, serving=2).lacks() is None
    assert told[1:] == ["2 of 4 pods of v1 are ready; the others were lost"]


def test_a_kept_release_whose_pods_start_nowhere_else_is_not_waited_for_for_long(
    cluster: Cluster, api: Api
) -> None:
    full = shapes.unschedulable("0/3 nodes are available: 3 Insufficient cpu.")
    _lose_two_of_four(api, {**full, "metadata": {**full["metadata"], "name": "e"}})
    clock, told = Clock(), list[str]()
    release = _with_losses(cluster, clock, told, serving=4)
    for _ in range(int(losses.PATIENCE)):
        release.raise_if_down()
        assert release.lacks() is not None
        clock.now += LOOK_EVERY
    release.raise_if_down()
    assert release.lacks() is None


def test_a_kept_release_needs_what_it_has_not_lost(cluster: Cluster, api: Api) -> None:
    """Other pods fail, so the lost node is not all that is wrong."""
    _lose_two_of_four(api)
    lost = shapes.given_to("n3", taken_on=True, name="c")
    crashed = [{**CRASHED, "metadata": {**CRASHED["metadata"], "name": name}} for name in ("a", "b")]
    _give(api, *crashed, lost, shapes.pod("e"), replicas=4, was_whole=True)
    clock, told = Clock(), list[str]()
    release = _with_losses(cluster, clock, told, serving=1)
    assert release.lacks() is not None
    clock.now += 2 * losses.PATIENCE
    assert release.lacks() is not None


def test_a_release_without_any_pod_that_is_ready_serves_nobody(cluster: Cluster, api: Api) -> None:
    _lose_two_of_four(api)
    lost = [shapes.given_to("n3", taken_on=True, name=name) for name in ("c", "d")]
    _give(api, *lost, replicas=2, was_whole=True)
    assert _with_losses(cluster, Clock(), [], serving=0).lacks() is not None


def test_a_new_release_s_pods_start_elsewhere_with_all_the_time_that_they_may_take(
    cluster: Cluster, api: Api
) -> None:
    """The cluster needs nearly a minute until it calls a node lost."""
    lost = shapes.event("NodeNotReady", "Node is not ready", name="c")
    given = [shapes.given_to("n3", taken_on=False, name="d"), shapes.given_to("n3", taken_on=True, name="c")]
    _give(api, *given, shapes.pod("a"), shapes.pod("b"), events=(lost,), replicas=4)
    api.put(LOST, shapes.node("n3"))
    for name in ("c", "d"):
        api.put(f"{BASE}/pods/{name}", shapes.pod(name))
    clock = Clock()
    release = _with_losses(cluster, clock, [], serving=0)
    release.raise_if_down()
    assert (release.delay(), api.of("DELETE")) == (0, [])
    clock.now += 50
    api.put(LOST, shapes.node("n3", "Unknown", SILENT_NODE))
    release.raise_if_down()
    assert [one.path for one in api.of("DELETE")] == [f"{BASE}/pods/c", f"{BASE}/pods/d"]
    assert release.delay() == 50
    assert release.lacks() is not None, "a new one needs all"
    clock.now += 2 * losses.PATIENCE
    assert release.lacks() is not None


def test_a_deployer_who_may_end_no_pod_is_told_and_waits_as_long(cluster: Cluster, api: Api) -> None:
    _lose_two_of_four(api)
    for name in ("c", "d"):
        api.deleted[f"{BASE}/pods/{name}"] = Status(403, "Forbidden", "pods is forbidden")
    clock, told = Clock(), list[str]()
    release = _with_losses(cluster, clock, told, serving=4)
    assert release.lacks() is not None
    assert told[1] == "they are not started elsewhere: pods is forbidden"
    clock.now += losses.PATIENCE
    assert release.lacks() is None


def test_a_node_is_asked_about_once_in_some_seconds(cluster: Cluster, api: Api) -> None:
    _lose_two_of_four(api)
    clock = Clock()
    release = ReleasePods(cluster, PLACE, clock=clock)
    for _ in range(5):
        assert release.lacks() is not None
        clock.now += LOOK_EVERY
    assert [one.path for one in api.asked].count(LOST) == 1
    assert release.lacks() is not None
    assert [one.path for one in api.asked].count(LOST) == 2
