from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup.cluster import bridges, machine
from tests.setup.conftest import Script

SWITCHES = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, alone_on_path: Path) -> None:
    """A machine with no other modprobe than that of the test."""
    monkeypatch.setattr(machine, "SYSTEM_FOLDERS", ())


def test_the_machines_bridges_go_on_as_before_when_the_module_is_loaded(
    script: Script, tmp_path: Path
) -> None:
    settings = tmp_path / "bridge"
    writes = "; ".join(f"echo 1 > {settings}/{name}" for name in (*SWITCHES, "bridge-nf-filter"))
    script("bin/modprobe", f"/bin/mkdir {settings}; {writes}")
    bridges.load(settings)
    assert [(settings / name).read_text() for name in SWITCHES] == ["0", "0", "0"]
    assert (settings / "bridge-nf-filter").read_text() == "1\n"


def test_a_module_that_is_loaded_keeps_its_settings(tmp_path: Path) -> None:
    (tmp_path / bridges.IPTABLES).write_text("1\n")
    bridges.load(tmp_path)
    assert (tmp_path / bridges.IPTABLES).read_text() == "1\n"
    bridges.switch_on(tmp_path)
    assert (tmp_path / bridges.IPTABLES).read_text() == "1"


@pytest.mark.parametrize("answer", [None, "echo no such module >&2; exit 1"])
def test_a_kernel_without_the_module_is_told(answer: str | None, script: Script, tmp_path: Path) -> None:
    if answer:
        script("bin/modprobe", answer)
    with pytest.raises(SetupError, match="br_netfilter") as caught:
        bridges.load(tmp_path / "bridge")
    assert ("no such module" if answer else "modprobe") in str(caught.value.detail)
