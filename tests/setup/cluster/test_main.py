from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup.cluster import __main__ as command
from curtainup.setup.cluster import choice, own
from curtainup.setup.cluster.models import Cluster, Gateway
from curtainup.setup.cluster.place import Place
from tests.setup.conftest import Script

GATEWAY = Gateway("gateway", "public", "envoy", "http://127.0.0.1:8480")


@pytest.mark.usefixtures("first_on_path")
def test_up_prints_what_a_shell_needs_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: Script
) -> None:
    script("bin/kubectl", "exit 0")
    started = Cluster("/clusters/1/kubeconfig", "curtainup", GATEWAY, ("kubectl",), "1")

    def staying(_: object, report: Callable[[str], None], *, with_gateway: bool) -> Cluster:
        assert with_gateway
        report("starting")
        return started

    monkeypatch.setattr(choice, "staying", staying)
    assert command.main(["up"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "export KUBECONFIG=/clusters/1/kubeconfig",
        "export CURTAINUP_GATEWAY_URL=http://127.0.0.1:8480",
    ]
    assert printed.err == "starting\n"


@pytest.mark.parametrize(("arguments", "nodes"), [(("--new",), 1), (("--nodes", "3"), 3)])
def test_another_one_may_have_more_nodes(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], nodes: int
) -> None:
    asked: list[int] = []

    def started(_: object, *, with_gateway: bool, nodes: int) -> Cluster:
        del with_gateway
        asked.append(nodes)
        return Cluster("/1/kubeconfig", "curtainup", None, ("kubectl",), "1")

    monkeypatch.setattr(own, "up", started)
    assert command.main(["up", *arguments]) == 0
    assert asked == [nodes]


@pytest.mark.usefixtures("alone_on_path")
def test_a_machine_without_kubectl_uses_that_of_the_cluster() -> None:
    started = Cluster("/1/kubeconfig", "curtainup", None, ("/cache/kube", "kubectl"), "1")
    assert command.exports(started)[1:] == ["alias kubectl='/cache/kube kubectl'"]


def test_down_stops_those_that_are_named_or_all_that_stay(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    done: list[str] = []
    monkeypatch.setattr(own, "down", lambda place: done.append(place.id))
    monkeypatch.setattr(own, "sweep", lambda: done.append("what killed ones left"))
    monkeypatch.setattr(own, "lasting", lambda: [Place(Path("/clusters/a"))])
    monkeypatch.setattr(choice, "sweep", lambda: done.append("registries"))
    assert command.main(["down", "b"]) == 0
    assert done == ["b", "registries"]
    assert command.main(["down"]) == 0
    assert done[2:4] == ["what killed ones left", "a"]


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_down_takes_ids_and_no_folders(name: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cache / "clusters" / "a").mkdir(parents=True)
    assert command.main(["down", name]) == SetupError.exit_code
    assert "there is no cluster" in capsys.readouterr().err
    assert (cache / "clusters" / "a").is_dir()


def test_an_error_is_told_with_its_fix_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SetupError("it needs root", fix="become root")

    monkeypatch.setattr(own, "up", refuse)
    assert command.main(["up", "--new"]) == SetupError.exit_code
    assert capsys.readouterr().err == "it needs root\nbecome root\n"
