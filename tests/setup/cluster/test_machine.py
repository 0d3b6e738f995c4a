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


@pytest.mark.parametrize(("may", "fix"), [(True, "curtainup doctor --fix"), (False, "apt-get install")])
def test_the_fix_is_what_this_user_may_do(may: bool, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: may)
    with pytest.raises(SetupError, match="needs containerd, runc") as caught:
        machine.require()
    assert str(caught.value.fix).startswith(fix)
