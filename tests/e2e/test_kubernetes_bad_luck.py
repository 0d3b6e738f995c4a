"""Bad luck on a real cluster: what is killed, away, taken away, forbidden, full or stuck."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from curtainup.errors import RefusedError, ReleaseUnhealthy, SetupError, TrafficReturned
from curtainup.setup.cluster import own
from tests.e2e.kube_cluster import api_server, applied, cluster, kubectl
from tests.e2e.kube_service import DOMAIN, QUICK, Troupe
from tests.e2e.leftovers import locks, pending
from tests.e2e.service import Finished
from tests.e2e.underway import make_holdable, underway

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

UNREADY = 8.0
"""Seconds for which the API server is away while traffic moves."""
LONG = 40.0
"""Seconds for which it is away while a task runs: longer than one call waits for an answer."""


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    """A service with one release on live."""
    assert cluster.gateway is not None
    made = Troupe(tmp_path_factory.mktemp("e2e"), "hello", service_python)
    made.gateway, made.on = cluster.gateway.url, cluster
    made.environ["KUBECONFIG"] = str(cluster.kubeconfig)
    made.configure(
        deploy_target="kubernetes",
        kube_context=cluster.context,
        gateway=f"{cluster.gateway.namespace}/{cluster.gateway.name}",
        gateway_domain=DOMAIN,
        **QUICK,
    )
    make_holdable(made)
    made.deploy()
    yield made
    made.remove()


@contextmanager
def unnoticed(service: Troupe) -> Iterator[None]:
    """A block that users of live do not notice; afterwards nothing is left over."""
    with service.users("live") as failures:
        yield
    assert failures == []
    assert (locks(service), pending(service)) == ([], [])
    for environment in ("staging", "live"):
        told = service.traffic_told(environment)
        assert max(told.values()) == 100
        assert service.workloads(environment) == set(told)


@contextmanager
def away(cluster: Cluster, seconds: float) -> Iterator[None]:
    """Have the API server answer nobody for a while, from the beginning of the block on."""
    server, done = api_server(cluster), Event()

    def come_back() -> None:
        done.wait(seconds)
        server.send_signal(signal.SIGCONT)

    waker = Thread(target=come_back)
    server.send_signal(signal.SIGSTOP)
    waker.start()
    try:
        yield
    finally:
        done.set()
        waker.join()


def restart_controller(cluster: Cluster) -> None:
    """Start the Gateway's controller anew: it has lost its lease, and does nothing more."""
    place = ("deployment/envoy-gateway", "--namespace", "envoy-gateway-system")
    kubectl(cluster, "rollout", "restart", *place)
    kubectl(cluster, "rollout", "status", *place, "--timeout=120s")


def two_releases(service: Troupe) -> tuple[str, str]:
    """The kept release of live, and the one that serves."""
    if len(service.traffic_told("live")) < 2:
        service.greet("another one")
        service.deploy()
    old, new = sorted(service.traffic_told("live").items(), key=lambda one: one[1])
    return old[0], new[0]


@pytest.mark.parametrize("step", ["staging", "candidate", "shift"])
def test_a_driver_that_is_killed_is_followed_by_one_that_goes_on(service: Troupe, step: str) -> None:
    service.greet(f"killed at {step}")
    with unnoticed(service):
        with underway(service, "deploy") as run:
            run.wait_for_step(step)
            run.wait_until(lambda: bool(locks(service)), "the engine")
            run.send(signal.SIGKILL)
            run.process.wait()
        service.deploy()
    assert service.says("live") == f"killed at {step}"


def test_an_api_server_that_is_away_while_traffic_moves_costs_no_request(service: Troupe) -> None:
    """The probe asks through it here, so nobody can tell that all is well, and traffic goes back."""
    before = service.says("live")
    service.greet("moved without it")
    with unnoticed(service), underway(service, "deploy") as run:
        run.wait_for_step("shift")
        with away(service.on, UNREADY):
            time.sleep(UNREADY)
        done = run.finish(TrafficReturned.exit_code)
    assert "asked through the API server" in done.err
    assert service.says("live") == before
    service.deploy()
    assert service.says("live") == "moved without it"


def test_a_task_goes_on_while_the_api_server_is_away(service: Troupe) -> None:
    script = f"echo begun; sleep {LONG:g}; echo whole"
    task = {"name": "migrate", "command": ["sh", "-c", script], "timeout": 120}
    service.configure(environments={"staging": {"tasks": [task]}})
    service.greet("migrated")
    with underway(service, "deploy", "--until", "staging") as run:
        run.wait_until(lambda: "migrate: begun" in run.err, "the task")
        with away(service.on, LONG):
            time.sleep(LONG)
        restart_controller(service.on)
        run.finish(0)
    log = service.last_run_folder() / "tasks" / "staging-migrate.log"
    assert log.read_text().split() == ["begun", "whole"]
    assert service.objects("staging", "jobs") == []
    service.configure(environments=None)


def test_what_somebody_removed_is_made_again_though_nothing_has_changed(service: Troupe) -> None:
    service.deploy()
    old, new = two_releases(service)
    [secret] = {one["metadata"]["name"] for one in service.objects("live", "secrets")}
    gone = {
        "secret": secret,
        "poddisruptionbudget": f"{service.name}-{new}",
        "service": f"{service.name}-{old}",
        "serviceaccount": service.name,
    }
    for kind, name in gone.items():
        kubectl(service.on, "delete", kind, name, "--namespace", service.namespace("live"))
    assert service.deploy("--json").json()["changed"] is False
    for kind, name in gone.items():
        assert name in {one["metadata"]["name"] for one in service.objects("live", kind)}
    before = service.updates()
    service.deploy()
    assert service.updates() == before
    kubectl(service.on, "delete", "httproute", service.name, "--namespace", service.namespace("live"))
    service.deploy()
    assert service.ask("live").status_code == 200


def test_a_rollback_does_not_need_every_pod_of_the_kept_release(service: Troupe) -> None:
    """The outgoing release was scaled up meanwhile, and no node has room for one of the incoming's pods."""
    old, new = two_releases(service)
    scale(service, new, 3)
    with unnoticed(service), nodes_closed(service.on):
        scale(service, old, 3, ready=1)
        refused = service.run("rollback", code=ReleaseUnhealthy.exit_code)
        assert "1 of 3 pods" in refused.err or "no node has room" in refused.err
        assert service.traffic_told("live") == {old: 0, new: 100}
        scale(service, new, 2)
        scale(service, old, 2, ready=1)
        service.run("rollback")
    assert service.traffic_told("live") == {old: 100, new: 0}


def test_a_release_has_as_many_pods_as_the_one_before_when_it_gets_the_traffic(service: Troupe) -> None:
    serving = next(one for one, share in service.traffic_told("live").items() if share)
    scale(service, serving, 3)
    service.greet("as many")
    with unnoticed(service):
        new = service.deploy("--json").json()["release"]
    replicas = {
        str(one["metadata"]["labels"]["curtainup.release"]): one["status"]["readyReplicas"]
        for one in service.objects("live", "deployments")
    }
    assert replicas[new] == 3


def test_a_quota_that_is_used_up_is_told_and_live_stays(service: Troupe) -> None:
    space = service.namespace("live")
    serving = service.says("live")
    release = next(one for one, share in service.traffic_told("live").items() if share)
    pods = sum(
        one["metadata"]["labels"]["curtainup.release"] == release for one in service.objects("live", "pods")
    )
    kubectl(service.on, "create", "quota", "full", f"--hard=pods={pods}", "--namespace", space)
    service.greet("one too many")
    with unnoticed(service):
        done = service.deploy(code=ReleaseUnhealthy.exit_code)
    assert "the namespace's quota does not allow its pods" in done.err
    assert service.says("live") == serving
    kubectl(service.on, "delete", "quota", "full", "--namespace", space)


def test_who_may_not_deploy_or_is_not_known_changes_nothing(service: Troupe, tmp_path: Path) -> None:
    kubectl(service.on, "create", "serviceaccount", "guest", "--namespace", "default")
    token = kubectl(service.on, "create", "token", "guest", "--namespace", "default").strip()
    before = service.updates()
    for given, told in ((token, "does not allow what a deployment needs"), ("expired", "the credentials")):
        file = tmp_path / "kubeconfig"
        document = yaml.safe_load(Path(service.on.kubeconfig).read_text())
        document["users"] = [{"name": one["name"], "user": {"token": given}} for one in document["users"]]
        file.write_text(yaml.safe_dump(document))
        for command in (("deploy",), ("rollback",)):
            done = service.run(*command, code=SetupError.exit_code, env={"KUBECONFIG": str(file)})
            assert told in done.err
    assert service.updates() == before
    kubectl(service.on, "delete", "serviceaccount", "guest", "--namespace", "default")


def test_no_command_changes_another_cluster_or_a_context_that_moved(service: Troupe, tmp_path: Path) -> None:
    before, serving = service.updates(), service.says("live")
    commands = (("rollback",), ("deploy",), ("destroy", "--confirm", service.name))

    def refused(file: Path, code: int, *wanted: tuple[str, ...]) -> Iterator[Finished]:
        for command in wanted:
            yield service.run(*command, code=code, env={"KUBECONFIG": str(file)})
        assert (service.updates(), service.says("live")) == (before, serving)

    moved = tmp_path / "moved"
    document = yaml.safe_load(Path(service.on.kubeconfig).read_text())
    for one in document["contexts"]:
        one["name"] = "moved"
    moved.write_text(yaml.safe_dump({**document, "current-context": "moved"}))
    for done in refused(moved, SetupError.exit_code, commands[0], commands[2]):
        assert f"the kubeconfig has no context {service.on.context} any more" in done.err
    with own.running(print, with_gateway=False) as other:
        assert other.context == service.on.context
        for done in refused(Path(other.kubeconfig), RefusedError.exit_code, *commands):
            assert "another cluster" in done.err or "is on the cluster of context" in done.err
        assert service.name not in kubectl(other, "get", "namespaces", "--output", "name")


def test_a_namespace_that_does_not_go_is_told_with_what_holds_it(service: Troupe) -> None:
    space = f"{service.name}-review-stuck"
    held = {"name": "held", "namespace": space, "finalizers": ["example.com/held"]}
    kubectl(service.on, "create", "namespace", space)
    applied(service.on, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    kubectl(service.on, "delete", "namespace", space, "--wait=false")
    until(lambda: "finalizers" in kubectl(service.on, "get", "namespace", space, "--output", "yaml"))
    done = service.run("deploy", "--env", "review-stuck", code=SetupError.exit_code)
    assert f"the namespace {space} is still being deleted" in done.err
    freed = json.dumps({"metadata": {"finalizers": None}})
    kubectl(service.on, "patch", "configmap", "held", "--namespace", space, "--type=merge", "--patch", freed)


def scale(service: Troupe, release: str, replicas: int, ready: int | None = None) -> None:
    """Scale a release as an autoscaler does, and wait until so many pods are ready."""
    name, space = f"deployment/{service.name}-{release}", service.namespace("live")
    kubectl(service.on, "scale", name, f"--replicas={replicas}", "--namespace", space)

    def scaled() -> bool:
        found = json.loads(kubectl(service.on, "get", name, "--namespace", space, "--output", "json"))
        return int(found["status"].get("readyReplicas", 0)) == (replicas if ready is None else ready)

    until(scaled)


@contextmanager
def nodes_closed(cluster: Cluster) -> Iterator[None]:
    """Let no node take a new pod while a block runs."""
    nodes = kubectl(cluster, "get", "nodes", "--output", "name").split()
    kubectl(cluster, "cordon", *nodes)
    try:
        yield
    finally:
        kubectl(cluster, "uncordon", *nodes)


def until(happened: Callable[[], Any]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.3)
