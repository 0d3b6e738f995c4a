"""`gateway: none` on a real cluster: a Service leads to one release, and a switch changes its selector."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from curtainup.errors import ConfigError
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

ASK = "from urllib.request import urlopen as get; print(get('{url}/', timeout=20).read().decode())"


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    made = Troupe.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster)
    made.configure(gateway="none", **QUICK)
    yield made
    made.remove()


def answer(service: Troupe) -> dict[str, str]:
    """What live answers to a neighbour in the cluster: a pod of staging."""
    neighbour = min(service.workloads("staging"))
    where = (f"deployment/{service.name}-{neighbour}", "--namespace", service.namespace("staging"))
    command = ("python3", "-c", ASK.format(url=service.url("live")))
    return dict(json.loads(kubectl(service.on, "exec", *where, "--", *command)))


def until_says(service: Troupe, wanted: str | None) -> None:
    """Wait until live greets so, once the node knows of a new selector."""
    deadline = time.monotonic() + 30
    while (said := answer(service).get("says")) != wanted:
        assert time.monotonic() < deadline, said
        time.sleep(0.5)


def test_it_goes_live_where_only_the_cluster_reaches_it(service: Troupe) -> None:
    done = service.deploy()
    assert done.out == f"http://{service.name}.{service.namespace('live')}.svc\n"
    assert service.proved() == ["local", "staging", "candidate", "live"]
    assert answer(service)["environment"] == service.namespace("live")


def test_a_canary_is_refused_before_anything_is_built(service: Troupe) -> None:
    before = service.updates()
    service.configure(canary=[10])
    done = service.deploy(code=ConfigError.exit_code)
    assert "is not possible with `gateway: none`" in done.err
    assert service.updates() == before
    service.configure(canary=None)


def test_a_change_and_a_rollback_move_all_traffic_at_once(service: Troupe) -> None:
    [old] = service.traffic_told("live")
    service.greet("second")
    service.deploy()
    [new] = set(service.traffic_told("live")) - {old}
    assert service.traffic_told("live") == {old: 0, new: 100}
    until_says(service, "second")
    service.run("rollback")
    assert service.traffic_told("live") == {old: 100, new: 0}
    until_says(service, None)


def test_destroy_leaves_nothing(service: Troupe) -> None:
    service.run("destroy", "--confirm", service.name)
    assert service.state.stacks() == []
    found = kubectl(service.on, "get", "namespaces", "--output", "name").split()
    assert [one for one in found if service.name in one] == []
