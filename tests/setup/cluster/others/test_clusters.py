"""kind and k3d by their command lines; what these do with real nodes is not tried here."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from curtainup.errors import SetupError
from curtainup.setup.cluster.others import clusters
from curtainup.setup.cluster.others.tools import K3D, KIND, TOOLS, Tool
from tests.setup.cluster.others.stand_ins import StandIns
from tests.setup.conftest import silent

Registries = list[tuple[str, ...]]
ALL = pytest.mark.parametrize("tool", TOOLS, ids=lambda one: one.name)


def test_only_what_is_on_path_is_used(stand_ins: StandIns) -> None:
    assert clusters.installed() == []
    stand_ins.install("k3d")
    assert clusters.installed() == [K3D]


@ALL
def test_a_cluster_is_made_found_again_and_removed(
    tool: Tool, stand_ins: StandIns, registries: Registries, cache: Path
) -> None:
    stand_ins.install(tool.name, "docker")
    assert clusters.find(tool, silent) is None
    made = clusters.make(tool, silent)
    assert made.context == f"{tool.name}-curtainup"
    assert made.repository == "127.0.0.1:5123/local"
    assert made.folder == cache / f"{tool.name}-cluster"
    assert yaml.safe_load(Path(made.kubeconfig).read_text())["current-context"] == made.context
    assert ("join", tool.name, tool.network) in registries
    assert clusters.find(tool, silent) == made
    assert clusters.made() == [tool]
    clusters.remove(tool)
    assert stand_ins.clusters(tool.name) == []
    assert clusters.made() == []
    assert registries[-1] == ("remove", tool.name)
    assert not made.folder.exists()


def test_a_node_of_kind_is_told_where_the_registry_is(stand_ins: StandIns, registries: Registries) -> None:
    stand_ins.install("kind", "docker")
    clusters.make(KIND, silent)
    assert registries[0] == ("ensure", "kind")
    [told] = [one for one in stand_ins.calls() if one[0] == "docker"]
    assert told[1:5] == ["exec", "curtainup-control-plane", "sh", "-c"]
    assert "/etc/containerd/certs.d/127.0.0.1:5123/hosts.toml" in told[5]
    assert told[6].startswith('[host."http://curtainup-cluster-registry-')


@ALL
def test_one_that_cannot_be_made_leaves_nothing_and_says_why(
    tool: Tool, stand_ins: StandIns, registries: Registries
) -> None:
    stand_ins.install(tool.name, "docker")
    stand_ins.fail(tool.name)
    with pytest.raises(SetupError) as caught:
        clusters.make(tool, silent)
    assert str(caught.value.detail).startswith(("ERROR: failed to create", "FATA"))
    assert clusters.made() == []
    assert registries[-1] == ("remove", tool.name)


@ALL
@pytest.mark.usefixtures("registries")
def test_somebody_else_s_cluster_is_used_and_stays(tool: Tool, stand_ins: StandIns) -> None:
    stand_ins.install(tool.name)
    stand_ins.have(tool.name, "other", "curtainup")
    found = clusters.find(tool, silent)
    assert found is not None
    assert (found.folder, found.repository) == (None, "")
    assert clusters.made() == []


def test_a_tool_that_does_not_work_is_told(stand_ins: StandIns, alone_on_path: Path) -> None:
    stand_ins.install("kind")
    (alone_on_path / "kind").write_text("#!/bin/sh\necho ERROR: no Docker here >&2\nexit 1\n")
    with pytest.raises(SetupError, match="kind get clusters failed") as caught:
        clusters.find(KIND, silent)
    assert caught.value.detail == "ERROR: no Docker here"
