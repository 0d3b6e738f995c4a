"""The processes of a release on a real cluster: they follow all traffic, and go back with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.errors import ProcessFailed
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_service import QUICK, Troupe
from tests.e2e.service import PATIENCE
from tests.e2e.test_processes import ENDS_ON_LIVE, WORKER, processes

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]
WORKS = {"command": "python worker.py", "memory_limit": "64m"}
READY = {"command": "python worker.py", "health": "test -e /tmp/ready"}


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    made = Troupe.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster)
    made.write("worker.py", WORKER)
    made.configure(**made.on_shared_gateway(), **QUICK, processes={"worker": WORKS})
    yield made
    made.remove()


def pods(service: Troupe) -> dict[str, dict[str, Any]]:
    """The pods of the worker on live, by their names, those that have to go too."""
    found = service.objects("live", "pods")
    named = {str(one["metadata"]["name"]): one for one in found}
    return {name: one for name, one in named.items() if "curtainup.process" in one["metadata"]["labels"]}


def releases(service: Troupe) -> set[str]:
    """The releases whose workers run, once none has to go any more."""
    deadline = time.monotonic() + PATIENCE
    while any("deletionTimestamp" in one["metadata"] for one in pods(service).values()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return {str(one["metadata"]["labels"]["curtainup.works-for"]) for one in pods(service).values()}


def serving(service: Troupe) -> set[str]:
    return {one for one, share in service.traffic_told("live").items() if share == 100}


def test_a_worker_runs_for_the_release_with_all_traffic(service: Troupe) -> None:
    service.deploy()
    assert releases(service) == serving(service)
    assert {name: one["state"] for name, one in processes(service).items()} == {"worker.1": "running"}
    assert "at work as" in service.run("logs", "--process", "worker").out
    before = service.updates()
    service.deploy()
    assert service.updates() == before


def test_a_command_runs_as_the_worker_does_or_in_its_pod(service: Troupe) -> None:
    [worker], before = pods(service), service.objects("live", "jobs")
    bound = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
    script = f"{bound}; echo \"$VERSION\"; echo '$(VERSION)' '$$'"
    beside = service.run("exec", "--process", "worker", "--", "sh", "-c", script)
    version = service.status("live")["releases"][-1]["version"]
    assert beside.out.split() == [str(64 << 20), version, "$(VERSION)", "$$"], "the cluster expands nothing"
    inside = service.run(
        "exec", "--attach", "--process", "worker.1", "--", "cat", "/proc/sys/kernel/hostname"
    )
    assert inside.out.strip() == worker
    assert "processes: worker" in service.run("exec", "--process", "worker.2", "--", "true", code=23).err
    assert service.objects("live", "jobs") == before
    assert list(pods(service)) == [worker]


def test_a_change_asks_the_old_one_to_end_before_the_new_one_comes(service: Troupe) -> None:
    [old] = pods(service)
    service.greet("second")
    with service.users("live") as failures:
        service.deploy()
    assert failures == []
    assert releases(service) == serving(service)
    assert old not in pods(service)
    events = kubectl(
        service.on,
        "get",
        "events",
        "--namespace",
        service.namespace("live"),
        "--output",
        "jsonpath={range .items[*]}{.lastTimestamp} {.reason} {.involvedObject.name}{'\\n'}{end}",
    )
    assert f"Killing {old}" in events


def test_a_worker_that_ends_at_once_brings_the_old_one_back(service: Troupe) -> None:
    before = serving(service)
    service.write("worker.py", ENDS_ON_LIVE)
    service.commit("A worker that ends on live")
    with service.users("live") as failures:
        done = service.deploy(code=ProcessFailed.exit_code)
    assert failures == []
    assert "KeyError: 'QUEUE'" in done.err
    assert serving(service) == before == releases(service)


def test_a_health_command_is_waited_for(service: Troupe) -> None:
    service.write("worker.py", WORKER.replace("while True:", 'open("/tmp/ready", "w").close()\nwhile True:'))
    service.configure(processes={"worker": READY})
    service.deploy()
    assert releases(service) == serving(service)
