from __future__ import annotations

import ipaddress
import subprocess
from pathlib import Path

import pytest

from curtainup.platforms.docker import routes

TABLE = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
tun0	0000D50A	00000000	0001	0	0	0	0000FFFF	0	0	0
tun0	0500A8C0	00000000	0005	0	0	0	FFFFFFFF	0	0	0
"""


def test_the_routes_of_all_tables_are_told() -> None:
    found = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "10.213.0.0/16", "table": "52"},
        {"dst": "192.168.0.5"},
    ]
    assert routes._of_ip(found) == ["10.213.0.0/16", "192.168.0.5/32"]


def test_the_kernel_s_own_table_is_read() -> None:
    assert routes._of_table(TABLE.splitlines()[1:]) == ["10.213.0.0/16", "192.168.0.5/32"]


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ('[{"dst": "default"}, {"dst": "10.213.0.0/16"}]', ["10.213.0.0/16"]),
        (TABLE, ["10.213.0.0/16", "192.168.0.5/32"]),
        ("", []),
        ("sh: ip: not found\n", []),
    ],
)
def test_what_another_machine_tells_is_read_either_way(text: str, networks: list[str]) -> None:
    assert routes.parse(text) == networks


def test_without_ip_the_kernel_s_own_table_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with_ip = routes.routed()

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    without = routes.routed()
    assert all(ipaddress.IPv4Network(one) for one in (*with_ip, *without))
    assert len(without) <= len(Path("/proc/net/route").read_text().splitlines())
