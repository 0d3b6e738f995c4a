from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from curtainup.errors import SetupError
from curtainup.setup import go_build, versions
from curtainup.setup.cluster import archives, envoy, machine, pieces, programs
from curtainup.setup.go_build import Program
from tests.setup.conftest import silent


class Machine:
    """A machine that can run a cluster, and builds nothing for real."""

    def __init__(self, patch: pytest.MonkeyPatch, cache: Path) -> None:
        self.built: list[str] = []
        self.fails = ""
        self._lock = cache / "cluster-pieces.lock"
        patch.setattr(go_build, "ensure", self.build)
        patch.setattr(envoy, "fetch", lambda target, _report: target.write_text("envoy"))
        patch.setattr(archives, "write", self.write)
        patch.setattr(pieces, "_module", lambda _report: self.module(cache.parent / "module"))
        patch.setattr(machine, "missing_packages", list)
        patch.setattr(machine, "_unfit", list)

    def build(self, program: Program, _report: object) -> Path:
        with pytest.raises(TimeoutError), FileLock(self._lock, is_singleton=False).acquire(timeout=0):
            pytest.fail("somebody else could build at the same time")
        self.built.append(program.name)
        program.path().parent.mkdir(parents=True, exist_ok=True)
        program.path().touch()
        return program.path()

    def write(self, image: archives.Image, file: Path) -> None:
        if image.name == self.fails:
            raise SetupError("no space")
        file.write_text(image.name)

    def module(self, folder: Path) -> Path:
        kinds = folder / "charts" / "gateway-helm" / "crds"
        (kinds / "generated").mkdir(parents=True, exist_ok=True)
        (kinds / "gatewayapi-crds.yaml").write_text("kind: Gateways")
        (kinds / "generated" / "envoy.yaml").write_text("kind: Envoys")
        return folder


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Machine:
    return Machine(monkeypatch, cache)


def test_all_are_made_one_after_another_and_then_found(computer: Machine) -> None:
    assert pieces.missing() == [
        "the cluster's own parts",
        f"Kubernetes {versions.KUBERNETES}",
        f"Envoy Gateway {versions.ENVOY_GATEWAY}",
        "the pause image",
        f"Envoy {versions.ENVOY}",
    ]
    made = pieces.ensure(silent)
    assert computer.built == ["cluster-node", "kube", "envoy-gateway"]
    assert [file.name for file in made.images] == ["pause.tar", "envoy.tar", "gateway.tar"]
    assert made.gateway is not None
    assert made.gateway.kinds.read_text() == "kind: Gateways\n---\nkind: Envoys"
    assert pieces.missing() == []
    assert pieces.ensure(silent) == made


def test_who_has_all_does_not_wait_for_somebody_who_builds(computer: Machine, cache: Path) -> None:
    made = pieces.ensure(silent)
    with FileLock(cache / "cluster-pieces.lock", is_singleton=False):
        assert pieces.ensure(silent) == made


def test_a_pause_image_that_is_gone_is_missing_and_made_again(computer: Machine) -> None:
    pieces.ensure(silent)
    shutil.rmtree(pieces.pause_folder())
    assert pieces.missing() == ["the pause image"]
    pieces.ensure(silent)
    assert pieces.missing() == []


def test_a_cluster_without_a_gateway_needs_less(computer: Machine) -> None:
    made = pieces.ensure(silent, gateway=False)
    assert computer.built == ["cluster-node", "kube"]
    assert ([file.name for file in made.images], made.gateway) == (["pause.tar"], None)
    assert pieces.missing(gateway=False) == []
    assert len(pieces.missing()) == 2


def test_what_was_not_made_to_the_end_is_not_taken_for_whole(computer: Machine, cache: Path) -> None:
    computer.fails = pieces.ENVOY_IMAGE
    with pytest.raises(SetupError, match="no space"):
        pieces.ensure(silent)
    assert pieces.missing() == [f"Envoy {versions.ENVOY}"]
    assert not [one for one in cache.iterdir() if one.name.startswith((".", "cluster-gateway"))]
    computer.fails = ""
    assert pieces.ensure(silent).gateway is not None


def test_what_a_killed_one_has_left_is_not_taken_for_whole(computer: Machine, cache: Path) -> None:
    pieces.ensure(silent, gateway=False)
    left = cache / f".{pieces.gateway_folder().name}-abc" / "made"
    left.mkdir(parents=True)
    (left / "envoy.tar").touch()
    assert f"Envoy {versions.ENVOY}" in pieces.missing()
    assert pieces.ensure(silent).gateway is not None
    assert not left.exists()


def test_another_version_is_another_piece(computer: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pieces.ensure(silent)
    monkeypatch.setattr(versions, "KUBERNETES", "1.35.0")
    monkeypatch.setattr(envoy, "HASHES", ("another",))
    after = pieces.ensure(silent)
    assert after.kube != before.kube
    assert after.gateway != before.gateway
    assert programs.kube().variables["k8s.io/component-base/version.gitMinor"] == "35"


def test_a_machine_that_cannot_run_it_is_told_what_can(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(machine, "_unfit", lambda: ["it needs root"])
    monkeypatch.setattr(machine, "missing_packages", list)
    with pytest.raises(SetupError, match="it needs root") as caught:
        pieces.ensure(silent)
    assert "KUBECONFIG" in str(caught.value.fix)
    assert not cache.exists()
