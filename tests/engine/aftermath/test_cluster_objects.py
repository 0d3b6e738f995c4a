from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from curtainup.engine.aftermath import cluster_objects
from curtainup.engine.recovery import Recovery
from curtainup.engine.state import Remembered
from curtainup.errors import SetupError
from curtainup.platforms.kubernetes.cluster import Refused
from tests.components.kubernetes.samples import DEPLOYMENT, ROUTE, deployment, environment, rendered

PATH = "/apis/apps/v1/namespaces/shop-live/deployments/shop-r0000001"
CONFIG = {"curtainup:environment": environment().model_dump(mode="json")}
MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"namespace": "shop-live", "name": "shop-r0000001"},
}
URN = f"urn:pulumi:shop-live::curtainup::curtainup:kubernetes:Kubernetes${DEPLOYMENT}::shop-live-r0000001"
PENDING: dict[str, Any] = {
    "type": "creating",
    "resource": {"urn": URN, "type": DEPLOYMENT, "inputs": MANIFEST},
}


class Cluster:
    """An API server with one object, which goes after some looks."""

    def __init__(self, state: str | None, *, looks: int = 0, path: str = PATH, refuses: bool = False) -> None:
        self.identity = environment().cluster
        self._refuses = refuses
        self.found: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self._looks = looks
        if state is not None:
            self.found[path] = {"metadata": {"labels": {"curtainup.state": state}}}

    @contextmanager
    def said_clearly(self) -> Iterator[None]:
        try:
            yield
        except Refused as refused:
            raise SetupError("the cluster refuses") from refused

    def find(self, path: str) -> dict[str, Any] | None:
        if self._refuses:
            raise Refused(500, "InternalError", "etcdserver: request timed out")
        if path in self.deleted:
            self._looks -= 1
            if self._looks < 0:
                self.found.pop(path, None)
        return self.found.get(path)

    def delete(self, path: str, **_query: str) -> None:
        self.deleted.append(path)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_objects, "LOOK", 0.0)


def _settled(
    cluster: Cluster, *pending: dict[str, Any], resources: tuple[dict[str, Any], ...] = ()
) -> tuple[list[Any], list[str]]:
    """What is still pending, and what the deployer is told."""
    notes, asked = list[str](), list[str]()

    def of(context: str) -> Cluster:
        asked.append(context)
        return cluster

    recovery = Recovery(lambda: None, notes.append, Event(), of)  # type: ignore[arg-type,return-value]
    left = recovery.settle(Remembered(exists=True, config=CONFIG, pending=pending, resources=resources))
    assert set(asked) <= {"production"}
    return left, notes


def test_what_a_killed_run_had_made_is_removed_and_the_name_is_free_again() -> None:
    cluster = Cluster("a1b2c3", looks=3)
    assert _settled(cluster, PENDING) == (
        [],
        ["removed shop-live-r0000001, which a run that was cut off had begun to create"],
    )
    assert cluster.deleted == [PATH]


def test_what_a_killed_run_had_not_made_yet_is_forgotten() -> None:
    cluster = Cluster(None)
    assert _settled(cluster, PENDING) == ([], [])
    assert not cluster.deleted


def test_what_a_later_update_has_made_is_left_to_serve() -> None:
    """Pulumi carries what was pending from update to update."""
    cluster = Cluster("a1b2c3")
    assert _settled(cluster, PENDING, resources=(PENDING["resource"],)) == ([], [])
    assert not cluster.deleted


def test_what_waits_for_its_deletion_is_no_later_update_s() -> None:
    cluster = Cluster("a1b2c3")
    left, _ = _settled(cluster, PENDING, resources=({**PENDING["resource"], "delete": True},))
    assert (left, cluster.deleted) == ([], [PATH])


@pytest.mark.parametrize("state", ["other", ""])
def test_what_is_somebody_else_s_stays_for_a_person(state: str) -> None:
    cluster = Cluster(state)
    left, (note,) = _settled(cluster, PENDING)
    assert left == [PENDING]
    assert "if it exists, import it" in note
    assert not cluster.deleted


def test_nothing_is_removed_from_another_cluster_behind_the_same_context() -> None:
    """Nor is it forgotten: what the killed run made is on the other one."""
    cluster = Cluster("a1b2c3")
    cluster.identity = "another"
    left, (note,) = _settled(cluster, PENDING)
    assert (left, cluster.deleted) == ([PENDING], [])
    assert "if it exists, import it" in note


def test_what_the_cluster_refuses_meanwhile_is_explained() -> None:
    with pytest.raises(SetupError, match="the cluster refuses"):
        _settled(Cluster("a1b2c3", refuses=True), PENDING)


def test_what_does_not_go_stays_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a namespace that waits for a controller."""
    monkeypatch.setattr(cluster_objects, "GONE_WITHIN", 0.0)
    left, (note,) = _settled(Cluster("a1b2c3", looks=1000), PENDING)
    assert left == [PENDING]
    assert "import" in note


def test_other_operations_are_nothing_of_a_cluster() -> None:
    """What was changed or deleted is in the state, and the next update does it again."""
    cluster = Cluster("a1b2c3")
    assert _settled(cluster, {**PENDING, "type": "updating"}) == ([], [])
    assert not cluster.deleted


def test_without_a_cluster_to_ask_a_person_decides() -> None:
    notes = list[str]()
    recovery = Recovery(lambda: None, notes.append, Event())  # type: ignore[arg-type,return-value]
    assert recovery.settle(Remembered(exists=True, config=CONFIG, pending=(PENDING,))) == [PENDING]


def test_every_object_that_the_program_makes_has_a_path() -> None:
    run = rendered(deployment(100, 0), max_replicas=3)
    paths = {
        cluster_objects.path_of(one.inputs) for one in run.resources if one.type.startswith("kubernetes:")
    }
    assert None not in paths
    assert PATH in paths
    assert "/api/v1/namespaces/shop-live" in paths
    assert "/apis/gateway.networking.k8s.io/v1/namespaces/shop-live/httproutes/shop" in paths
    assert cluster_objects.path_of({**MANIFEST, "kind": "Job"}) is None
    assert ROUTE in {one.type for one in run.resources}
