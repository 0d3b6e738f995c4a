"""A cluster that is gone for good: the state still has its environments, until somebody says otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from curtainup.errors import RefusedError, SetupError
from curtainup.setup.cluster import own
from tests.e2e.kube_cluster import cluster
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs" / "kubernetes.md"
GONE = "if the environment's cluster is gone for good, see `A cluster that is gone`"


def steps(name: str) -> list[list[str]]:
    """What the page has one do before the next deployment, for a service of that name."""
    section = PAGE.read_text().partition("## A cluster that is gone")[2]
    lines = re.findall(r"^curtainup (.*)$", section, re.MULTILINE)
    assert lines[-1] == "deploy"
    return [line.replace("hello", name).split() for line in lines[:-1]]


def test_a_service_goes_live_on_another_cluster_once_its_state_has_forgotten_the_one_that_is_gone(
    tmp_path: Path, service_python: Path, cluster: Cluster
) -> None:
    service = Troupe.placed(tmp_path, service_python, cluster)
    service.configure(gateway="none", **QUICK)
    with own.running(print, with_gateway=False) as lost:
        assert lost.context == cluster.context
        old = {"KUBECONFIG": str(tmp_path / "old")}
        Path(old["KUBECONFIG"]).write_text(Path(lost.kubeconfig).read_text())
        service.run("deploy", env=old)
    away = service.run("destroy", "--confirm", service.name, code=SetupError.exit_code, env=old)
    assert "the cluster's API server does not answer" in away.err
    assert "gone for good" in away.err
    refused = service.run("deploy", code=RefusedError.exit_code)
    assert GONE in refused.err
    for step in steps(service.name):
        service.run(*step)
    try:
        service.deploy()
        assert service.proved() == ["local", "staging", "candidate", "live"]
    finally:
        service.remove()
