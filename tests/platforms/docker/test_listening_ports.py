from __future__ import annotations

from curtainup.platforms.docker.listening_ports import Listener, parse

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"


def row(address: str, state: str = "0A") -> str:
    return f"   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0"


def test_reads_listening_sockets_of_both_families() -> None:
    lines = [HEADER, row("00000000:1F90"), HEADER, row("00000000000000000000000000000000:270F")]
    assert parse(lines) == {Listener(8080, loopback=False), Listener(9999, loopback=False, ipv6=True)}


def test_knows_the_loopback_addresses() -> None:
    lines = [
        row("0100007F:0001"),
        row("0500007F:0002"),
        row("00000000000000000000000001000000:0003"),
        row("0000000000000000FFFF00000100007F:0004"),
        row("7F000001:0005"),
        row("B80D01200000000067452301EFCDAB7F:0006"),
    ]
    loopback = {listener.port: listener.loopback for listener in parse(lines)}
    assert loopback == {1: True, 2: True, 3: True, 4: True, 5: False, 6: False}


def test_leaves_out_connections_and_dockers_name_server() -> None:
    assert parse([row("00000000:1F90", state="01"), row("0B00007F:A5B1"), "", "cat: no such file"]) == set()
