from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from curtainup.errors import SetupError
from curtainup.setup.cluster import choice, models, own
from curtainup.setup.cluster.models import Cluster, Gateway
from curtainup.setup.cluster.place import Place
from tests.setup.cluster.others.conftest import registries, stand_ins
from tests.setup.cluster.others.stand_ins import StandIns
from tests.setup.conftest import silent

__all__ = ["registries", "stand_ins"]

OWN = Cluster("/own/kubeconfig", "curtainup", None, ("kubectl",), "1234")


GATEWAY = Gateway("gateway", "public", "envoy", "http://127.0.0.1:8480")


@pytest.fixture(autouse=True)
def one_of_our_own(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    del cache

    @contextmanager
    def running(_report: object, *, with_gateway: bool) -> Iterator[Cluster]:
        yield OWN

    monkeypatch.setattr(own, "running", running)


@pytest.fixture
def kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The clusters that were started to stay; nothing of them runs."""
    started: list[Place] = []

    def up(_report: object, *, with_gateway: bool) -> Cluster:
        place = Place(cache / "clusters" / f"{len(started):08}")
        place.folder.mkdir(parents=True)
        place.detached.touch()
        gateway = GATEWAY if with_gateway else None
        cluster = Cluster(str(place.kubeconfig), "curtainup", gateway, ("k",), place.id, place.folder)
        models.note(place, cluster)
        started.append(place)
        return cluster

    monkeypatch.setattr(own, "up", up)
    monkeypatch.setattr(own, "sweep", lambda: None)
    return started


def kubeconfig(file: Path, *contexts: str, current: str = "") -> str:
    config = {"contexts": [{"name": name} for name in contexts], "current-context": current}
    file.write_text(yaml.safe_dump(config))
    return str(file)


def test_the_given_one_comes_first(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "mine", "other", current="mine")
    told: list[str] = []
    with choice.chosen({"KUBECONFIG": file}, told.append) as found:
        assert (found.kubeconfig, found.context, found.gateway, found.id) == (file, "mine", None, "")
    assert told == [f"using the context mine of {file}"]
    with choice.chosen({"KUBECONFIG": file}, silent, context="other") as found:
        assert found.context == "other"


@pytest.mark.parametrize("environ", [{}, {"KUBECONFIG": ""}])
def test_without_a_given_one_it_is_our_own(environ: dict[str, str]) -> None:
    with choice.chosen(environ, silent) as found:
        assert found is OWN


def test_several_files_are_taken_as_one(tmp_path: Path) -> None:
    first = kubeconfig(tmp_path / "first", "a", current="b")
    second = kubeconfig(tmp_path / "second", "b", current="a")
    files = f"{first}:{tmp_path}/gone:{second}"
    assert [choice.given(files, one).context for one in (None, "a", "b")] == ["b", "a", "b"]
    assert choice.given(files).kubeconfig == files


def test_a_context_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "b", "a")
    with pytest.raises(SetupError, match="no context is chosen") as caught:
        choice.given(file)
    assert caught.value.fix == "kubectl config use-context a"
    with pytest.raises(SetupError, match="there is no context gone") as caught:
        choice.given(file, "gone")
    assert caught.value.detail == "it has: a, b"


@pytest.mark.parametrize("content", [None, "{", "[1, 2]", "contexts: 3", "contexts: [3, {name: }]"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SetupError) as caught:
        choice.given(str(file))
    assert caught.value.where == str(file)
    assert "KUBECONFIG" in str(caught.value.fix)


@pytest.mark.usefixtures("registries")
def test_kind_comes_before_k3d_and_both_before_our_own(stand_ins: StandIns) -> None:
    stand_ins.install("kind", "k3d", "docker")
    with choice.chosen({}, silent, by_docker=True) as found:
        assert found.context == "kind-curtainup"
        assert stand_ins.clusters("kind") == ["curtainup"]
    assert stand_ins.clusters("kind") == [], "one that was made for the block goes with it"
    with choice.chosen({}, silent) as found:
        assert found is OWN


@pytest.mark.usefixtures("registries")
def test_one_of_theirs_that_is_there_stays(stand_ins: StandIns) -> None:
    stand_ins.install("k3d")
    stand_ins.have("k3d", "curtainup")
    with choice.chosen({}, silent, by_docker=True) as found:
        assert found.context == "k3d-curtainup"
    assert stand_ins.clusters("k3d") == ["curtainup"]


@pytest.mark.usefixtures("registries")
def test_tools_that_cannot_make_one_are_passed_over_with_the_reason(stand_ins: StandIns) -> None:
    stand_ins.install("kind", "k3d", "docker")
    for tool in ("kind", "k3d"):
        stand_ins.fail(tool)
    told: list[str] = []
    with choice.chosen({}, told.append, by_docker=True) as found:
        assert found is OWN
    assert [one for one in told if "is not used" in one] == [
        f"{tool} is not used: making a cluster by {tool} failed: {why}"
        for tool, why in (
            ("kind", 'ERROR: failed to create cluster: failed to pull image "kindest/node:v1.35.0"'),
            ("k3d", "FATA[0003] Cluster creation FAILED, all changes have been rolled back!"),
        )
    ]


def test_one_that_stays_is_used_again_and_its_kubeconfig_tells_which_it_is(
    kept: list[Place], registries: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, alone_on_path: Path
) -> None:
    del alone_on_path
    first = choice.staying({}, silent)
    assert choice.staying({}, silent) == first
    assert choice.staying({"KUBECONFIG": first.kubeconfig}, silent) == first
    assert len(kept) == 1
    stopped: list[Place] = []
    monkeypatch.setattr(own, "down", stopped.append)
    choice.stop(silent)
    assert stopped == kept
    assert registries == [("sweep", kept[0].id)]


@pytest.mark.usefixtures("alone_on_path")
def test_one_without_a_gateway_does_for_those_who_need_none(kept: list[Place]) -> None:
    bare = choice.staying({}, silent, with_gateway=False)
    assert choice.staying({}, silent).gateway == GATEWAY
    assert len(kept) == 2
    assert choice.staying({}, silent, with_gateway=False) == bare


@pytest.mark.usefixtures("kept")
def test_what_stays_of_theirs_is_removed_on_demand(
    stand_ins: StandIns, registries: list[tuple[str, ...]]
) -> None:
    stand_ins.install("kind", "docker")
    assert choice.staying({}, silent).context == "kind-curtainup"
    assert stand_ins.clusters("kind") == ["curtainup"]
    choice.stop(silent)
    assert stand_ins.clusters("kind") == []
    assert registries[-1] == ("sweep",)
