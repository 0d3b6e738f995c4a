"""Many services on one cluster, several deployed at a time: none sees another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.kube_cluster import cluster
from tests.e2e.kube_small import Small

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(2400)]

SERVICES = int(os.environ.get("CURTAINUP_TEST_SERVICES", "20"))
AT_A_TIME = 4


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[list[Small]]:
    made = [Small.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster) for _ in range(SERVICES)]
    for one in made:
        one.shrink()
    yield made
    together(made, Small.remove)


def together(services: Sequence[Small], do: Any) -> None:
    """Do something with all services, some at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as crews:
        for done in [crews.submit(do, one) for one in services]:
            done.result()


def generations(service: Small) -> dict[str, int]:
    """The generation of each object of live: it rises whenever somebody changes what the object is to be."""
    found = service.objects("live", "deployments,services,httproutes")
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"].get("generation", 0) for one in found}


def test_many_services_go_live_four_at_a_time_and_none_sees_another(services: list[Small]) -> None:
    together(services, lambda one: one.deploy())
    for one in services:
        for environment in ("staging", "live"):
            said = one.ask(environment).json()
            assert (said["name"], said["environment"]) == (one.name, one.namespace(environment))
            labels = [
                found["metadata"]["labels"]["curtainup.service"]
                for found in one.objects(environment, "deployments,services,pods")
            ]
            assert set(labels) == {one.name}


def test_changing_some_changes_nothing_of_the_others(services: list[Small]) -> None:
    changed, others = services[:AT_A_TIME], services[AT_A_TIME:]
    before = {one.name: generations(one) for one in others}
    for one in changed:
        one.say("second")
    together(changed, lambda one: one.deploy())
    assert [one.says("live") for one in changed] == ["second"] * len(changed)
    assert {one.says("live") for one in others} <= {"first"}
    assert {one.name: generations(one) for one in others} == before
