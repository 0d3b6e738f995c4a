from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import debian
from curtainup.setup.cluster import machine
from tests.setup.conftest import Script


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, alone_on_path: Path) -> None:
    """A machine that could run a cluster, but has nothing."""
    monkeypatch.setattr(machine, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(machine, "PLUGIN_FOLDERS", (tmp_path / "cni",))
    monkeypatch.setattr(machine, "_unfit", list)
    monkeypatch.setattr(machine, "BRIDGES", tmp_path)


def test_what_is_missing_is_named_once_by_its_package(script: Script, tmp_path: Path) -> None:
    everything = [*dict.fromkeys(machine.PACKAGES.values()), machine.PLUGINS_PACKAGE]
    assert machine.missing_packages() == everything
    for command in machine.PACKAGES:
        script(f"bin/{command}", "exit 0")
    assert machine.missing_packages() == [machine.PLUGINS_PACKAGE]
    for plugin in machine.PLUGINS:
        script(f"cni/{plugin}", "exit 0")
    assert machine.missing_packages() == []
    assert machine.plugin_folder() == tmp_path / "cni"


@pytest.mark.parametrize(
    ("may", "fix"), [(True, "curtainup doctor --cluster --fix"), (False, "apt-get install")]
)
def test_the_fix_is_what_this_user_may_do(may: bool, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: may)
    with pytest.raises(SetupError, match="needs containerd, runc") as caught:
        machine.require()
    assert str(caught.value.fix).startswith(fix)


def test_what_loads_the_module_for_bridges_is_needed_where_it_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, script: Script, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "BRIDGES", tmp_path / "not-loaded")
    assert "kmod" in machine.missing_packages()
    script("bin/modprobe", "exit 0")
    assert "kmod" not in machine.missing_packages()


@pytest.mark.parametrize(("answer", "unfit"), [("exit 0", []), ("exit 1", [machine.CONFINED])])
def test_a_root_that_may_make_no_namespaces_is_told_at_once(
    answer: str, unfit: list[str], script: Script
) -> None:
    assert machine._confined() == []  # without unshare nobody knows
    script("bin/unshare", answer)
    assert machine._confined() == unfit


def test_a_try_that_does_not_end_is_one_that_failed(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LIMIT", 0.1)
    script("bin/unshare", "exec /bin/sleep 30")
    assert machine._confined() == [machine.CONFINED]


def test_a_cache_that_the_cluster_would_not_see_is_refused() -> None:
    assert machine._misplaced(Path("/run/user/0/curtainup")) != []
    assert machine._misplaced(Path("/root/.cache/curtainup")) == []


def test_an_unfit_machine_is_told_before_its_packages_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_unfit", lambda: [machine.CONFINED])
    with pytest.raises(SetupError, match=machine.CONFINED):
        machine.require()
