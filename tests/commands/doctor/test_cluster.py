from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from curtainup.commands.doctor import cluster, machine
from curtainup.errors import SetupError
from curtainup.setup.cluster import machine as of_cluster
from curtainup.setup.cluster import pieces, programs
from curtainup.setup.process import Report


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(of_cluster, "require", lambda: None)


def test_what_is_not_built_is_told_with_the_command_that_builds_it() -> None:
    found = machine.look_at(cluster.listed())
    assert [(check.name, check.ok) for check in found] == [
        ("cluster's machine", True),
        ("cluster's node", False),
        ("Kubernetes", False),
        ("Envoy Gateway", False),
        ("pause image", False),
        ("Envoy", False),
    ]
    assert {check.fix for check in found if not check.ok} == {"curtainup doctor --cluster --fix"}


def test_one_mend_makes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def ensure(_report: Report) -> None:
        made.append("all")
        for piece in (programs.node(), programs.kube(), programs.gateway()):
            piece.path().parent.mkdir(parents=True)
            piece.path().touch()
        pieces.pause_folder().mkdir()
        pieces.gateway_folder().mkdir()

    monkeypatch.setattr(pieces, "ensure", ensure)
    mending = partial(machine._mended, report=made.append)
    assert all(check.ok for check in machine.look_at(cluster.listed(), mending))
    assert made.count("all") == 1


def test_a_machine_that_cannot_run_it_is_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SetupError("it needs root", fix="name a cluster with KUBECONFIG")

    monkeypatch.setattr(of_cluster, "require", refuse)
    first, *others = machine.look_at(cluster.listed())
    assert first.fix == "name a cluster with KUBECONFIG"
    assert {check.detail for check in others} == {machine.NOT_LOOKED_AT}
