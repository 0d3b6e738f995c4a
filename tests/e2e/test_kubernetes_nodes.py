"""Ten pods on three nodes: they are replaced, a node is emptied, and one is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from curtainup.errors import EngineFailed, ReleaseUnhealthy
from curtainup.setup.cluster import own
from tests.e2e.kube_cluster import kubectl, require
from tests.e2e.kube_nodes import NODES, cut_off, is_ready, kubelet_stopped, only, until
from tests.e2e.kube_small import Small
from tests.e2e.leftovers import locks, pending

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

PODS = 10
LOST = "node3"
ELSEWHERE = f"are on {LOST}, which does not answer; starting them elsewhere"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of three nodes, each with a kubelet of its own."""
    require(gateway=True)
    with own.running(print, nodes=NODES) as made:
        yield made


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Small]:
    made = Small.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster)
    made.shrink()
    made.configure(environments={"live": {"replicas": PODS}}, start_timeout=180)
    made.deploy()
    yield made
    made.remove()


def places(service: Small, release: str, environment: str = "live") -> dict[str, int]:
    """How many ready pods of a release are on which node."""
    found: dict[str, int] = {}
    for pod in service.objects(environment, "pods"):
        ready = [one["status"] for one in pod["status"].get("conditions", ()) if one["type"] == "Ready"]
        if pod["metadata"]["labels"]["curtainup.release"] == release and ready == ["True"]:
            found[pod["spec"]["nodeName"]] = found.get(pod["spec"]["nodeName"], 0) + 1
    return found


def serving(service: Small) -> str:
    """The release of live that has the traffic."""
    return next(release for release, share in service.traffic_told("live").items() if share)


def test_ten_pods_on_three_nodes_are_replaced_without_a_failed_request(service: Small) -> None:
    place = ("--namespace", service.namespace("live"))
    service.say("by ten")
    with service.users("live") as failures:
        service.deploy()
        assert sorted(places(service, serving(service))) == ["node1", "node2", "node3"]
        assert sum(places(service, serving(service)).values()) == PODS
        workload = f"deployment/{service.name}-{serving(service)}"
        kubectl(service.on, "rollout", "restart", workload, *place)
        kubectl(service.on, "rollout", "status", workload, *place, "--timeout=300s")
    assert failures == []
    assert service.says("live") == "by ten"


def test_a_node_is_emptied_without_a_failed_request(service: Small) -> None:
    with service.users("live") as failures:
        kubectl(service.on, "drain", LOST, "--ignore-daemonsets", "--timeout=300s")
        until(lambda: sum(places(service, serving(service)).values()) == PODS)
        assert LOST not in places(service, serving(service))
    kubectl(service.on, "uncordon", LOST)
    assert failures == []


def test_a_node_that_is_lost_is_told_live_stays_and_the_next_command_goes_on(service: Small) -> None:
    """Its kubelet hangs: pods that are to start there never do, and those that serve there go on."""
    service.say("on all nodes")
    service.deploy()
    before, spread = service.traffic_told("live"), serving(service)
    assert places(service, spread)[LOST] > 1
    service.say("on the nodes that are left")
    service.deploy("--until", "staging")
    with service.users("live") as failures, kubelet_stopped(service.on, LOST):
        with only(service.on, LOST):
            done = service.deploy(code=ReleaseUnhealthy.exit_code)
        assert ELSEWHERE in done.err
        assert "no node has room for a pod" in done.err
        print(f"told {_told(service) - _gone(service.on, LOST):.1f} s after the cluster was certain")
        assert service.traffic_told("live") == before
        assert (locks(service), pending(service)) == ([], [])
        assert "answers" in service.run("status").out

        service.deploy()
        assert service.says("live") == "on the nodes that are left"
        assert LOST not in places(service, serving(service))
        done = service.run("rollback")
        assert ELSEWHERE in done.err
        assert serving(service) == spread
        until(lambda: sum(places(service, spread).values()) == PODS)
        assert LOST not in places(service, spread), "nobody has waited for the node"
    assert failures == []
    service.deploy()
    assert service.workloads("live") == set(service.traffic_told("live"))


def test_a_node_without_power_is_left_out_and_commands_go_on(service: Small) -> None:
    """Its pods serve when it goes. Until the cluster notices, requests that come to them get no answer."""
    gateways = kubectl(service.on, "get", "pods", "--namespace", "envoy-gateway-system", "--output", "wide")
    assert LOST not in gateways, "the Gateway itself would be lost"
    service.say("with power")
    service.deploy()
    assert places(service, serving(service))[LOST] > 1
    service.say("without power")
    service.deploy("--until", "staging")
    with cut_off(service.on, LOST):
        done = service.deploy()
        print(f"pods were given to the node: {ELSEWHERE in done.err}")
        assert service.says("live") == "without power"
        assert LOST not in places(service, serving(service))
        assert "so their lines are missing" in service.run("logs", "--tail", "3").err
        service.run("exec", "--attach", "--", "true")
        until(lambda: not is_ready(service.on, LOST))
        with service.users("live") as failures:
            assert "answers" in service.run("status").out
            assert ELSEWHERE in service.run("rollback").err
        assert failures == []
        assert service.says("live") == "with power"


def test_a_namespace_that_a_lost_node_holds_is_told_and_goes_later(service: Small) -> None:
    service.configure(environments=None, ready_timeout=20)
    with only(service.on, LOST):
        service.deploy("--env", "review-lost")
    [release] = service.traffic_told("review-lost")
    assert places(service, release, "review-lost") == {LOST: 1}
    with kubelet_stopped(service.on, LOST):
        done = service.run("destroy", "--env", "review-lost", code=EngineFailed.exit_code)
        assert f"the namespace {service.namespace('review-lost')} does not go" in done.err
        assert re.search(r"Resource=pods|remaining: pods\. has 1", done.err), (
            "the cluster's own words, which change"
        )
    service.run("destroy", "--env", "review-lost")
    found = kubectl(service.on, "get", "namespaces", "--output", "name")
    assert service.namespace("review-lost") not in found


def _gone(cluster: Cluster, node: str) -> float:
    """When the cluster began to call a node lost, to the second."""
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].lastTransitionTime}"
    return datetime.fromisoformat(kubectl(cluster, "get", "node", node, "--output", path)).timestamp()


def _told(service: Small) -> float:
    """When the step that failed has ended."""
    [ended] = [step.ended for step in service.last_run().steps if step.outcome == "failed"]
    assert ended is not None
    return datetime.fromisoformat(ended).timestamp()
