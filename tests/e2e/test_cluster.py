"""A cluster of curtainup's own: it runs pods, its gateway splits traffic, and nothing of it stays."""

from __future__ import annotations

import collections
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from curtainup.errors import SetupError
from curtainup.setup.cluster import configuration, isolation, own
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.place import Place, clusters
from tests.e2e.kube_cluster import applied, cluster, image, kubectl, pieces_of_cluster, traces
from tests.processes import python, wait_for_end

__all__ = ["cluster", "image", "pieces_of_cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(1200)]

READY = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
HOLDER = """
from curtainup.setup.cluster import own
with own.running(lambda _: None, with_gateway=False) as cluster:
    print(cluster.id, flush=True)
    input()
"""


def test_the_node_is_ready(cluster: Cluster) -> None:
    said = kubectl(
        cluster, "get", "node", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
    )
    assert said == "True"


def test_a_pod_is_pulled_by_digest_from_a_registry_of_this_machine(cluster: Cluster, image: str) -> None:
    for version in ("old", "new"):
        applied(cluster, *release(version, image))
    for version in ("old", "new"):
        kubectl(cluster, "wait", f"deployment/{version}", "--for=condition=Available", "--timeout=300s")
    used = kubectl(cluster, "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}")
    assert used.split() == [image, image]


def test_the_gateway_splits_traffic_by_weight(cluster: Cluster) -> None:
    applied(cluster, route({"old": 90, "new": 10}))
    answers = until_routed(cluster, 1000)
    assert set(answers) == {"old", "new"}
    assert 60 <= answers["new"] <= 140


def test_names_of_services_lead_to_them(cluster: Cluster) -> None:
    script = (
        "from urllib.request import urlopen as get; print(get('http://new.default.svc.cluster.local').read())"
    )
    assert kubectl(cluster, "exec", "deployment/old", "--", "python", "-c", script) == "b'new'\n"


@pytest.mark.parametrize("part", ["kube-apiserver", "forward"])
def test_a_part_that_dies_comes_back_at_its_address(cluster: Cluster, part: str) -> None:
    before = processes(cluster, part)
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 300
    while processes(cluster, part) in ([], before) or not ready(cluster):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert set(until_routed(cluster, 20)) <= {"old", "new"}


def test_the_machine_keeps_its_own_settings(cluster: Cluster) -> None:
    """The kubelet would have the whole machine restart ten seconds after an oops."""
    log = (Place(clusters() / cluster.id).log / "kubelet.log").read_text()
    assert "Updating kernel flag" not in log
    machine = {name: int(Path(f"/proc/sys/{name}").read_text()) for name in isolation.TUNABLES}
    assert machine != isolation.TUNABLES


def test_its_parts_get_no_variables_of_ours_and_no_way_out(cluster: Cluster) -> None:
    part = Path("/proc") / str(processes(cluster, "kube-apiserver")[0])
    variables = {one.partition("=")[0] for one in (part / "environ").read_text().split("\0")}
    assert "PYTEST_CURRENT_TEST" not in variables
    assert (part / "environ").read_text().count(f"HOME={Place(clusters() / cluster.id).folder}") == 1
    assert not [one for one in opened(part) if one.startswith("net:")]
    assert (Place(clusters() / cluster.id).folder / "opt").is_dir()


@pytest.mark.usefixtures("pieces_of_cluster")
def test_two_at_once_know_nothing_of_each_other() -> None:
    with own.running(print, with_gateway=False) as one, own.running(print, with_gateway=False) as other:
        applied(one, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
        assert "mine" in kubectl(one, "get", "namespaces", "-o", "name")
        assert "mine" not in kubectl(other, "get", "namespaces", "-o", "name")
        assert traces(one.id)["processes"]
    assert traces(one.id) == traces(other.id) == {}


@pytest.mark.usefixtures("pieces_of_cluster")
def test_it_ends_with_whoever_has_started_it() -> None:
    with python(HOLDER) as holder:
        assert holder.stdout is not None
        identity = holder.stdout.readline().strip()
        kept = int(Place(clusters() / identity).pid.read_text())
        assert {"processes", "cgroups", "files"} <= traces(identity).keys()
        holder.kill()
    wait_for_end(kept)
    assert traces(identity) == {}


@pytest.mark.usefixtures("pieces_of_cluster")
def test_a_killed_keeper_takes_it_along_and_the_next_start_clears_up() -> None:
    started = own.up(print, with_gateway=False)
    place = Place(clusters() / started.id)
    kept = int(place.pid.read_text())
    running = [int(pid) for pid in traces(started.id)["processes"]]
    os.kill(kept, signal.SIGKILL)
    for pid in running:
        wait_for_end(pid)
    assert {"processes", "mounts", "links"}.isdisjoint(traces(started.id))
    assert place.folder.is_dir()
    own.sweep()
    assert traces(started.id) == {}


@pytest.mark.usefixtures("pieces_of_cluster")
def test_one_that_cannot_start_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "coredns", lambda _place: "nonsense {")
    before = set(clusters().iterdir())
    with (
        pytest.raises(SetupError, match="coredns ended while the cluster was starting") as caught,
        own.running(print, with_gateway=False),
    ):
        pytest.fail("it has started")
    assert "Syntax error" in str(caught.value.detail)
    assert set(clusters().iterdir()) == before


def release(version: str, image: str) -> tuple[dict[str, Any], dict[str, Any]]:
    labels = {"release": version}
    container = {
        "name": "app",
        "image": image,
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}
    return (
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": version}, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": version}, "spec": service},
    )


def route(weights: dict[str, int]) -> dict[str, Any]:
    backends = [{"name": name, "port": 80, "weight": weight} for name, weight in weights.items()]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "answers"},
        "spec": {
            "parentRefs": [{"name": "public", "namespace": "gateway"}],
            "rules": [{"backendRefs": backends}],
        },
    }


def until_routed(cluster: Cluster, requests: int) -> collections.Counter[str]:
    """Ask the gateway once its route is there; the answers, counted."""
    assert cluster.gateway is not None
    address = urlsplit(cluster.gateway.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    deadline = time.monotonic() + 120
    while asked(connection)[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    seen = [asked(connection) for _ in range(requests)]
    connection.close()
    assert {status for status, _ in seen} == {200}
    return collections.Counter(body for _, body in seen)


def asked(connection: http.client.HTTPConnection) -> tuple[int, str]:
    connection.request("GET", "/")
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def processes(cluster: Cluster, part: str) -> list[int]:
    """The processes that are a part of a cluster."""
    told = f"\0{part}\0".encode()
    found = [int(pid) for pid in traces(cluster.id)["processes"]]
    return [pid for pid in found if told in Path(f"/proc/{pid}/cmdline").read_bytes()]


def opened(process: Path) -> Iterator[str]:
    """What a process has open; what it closes meanwhile is left out."""
    for one in (process / "fd").iterdir():
        with suppress(OSError):
            yield str(one.readlink())


def ready(cluster: Cluster) -> bool:
    command = [*cluster.kubectl, f"--kubeconfig={cluster.kubeconfig}", "get", "--raw", "/readyz"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
