"""The ports of another machine, as its kernel lists them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from curtainup.platforms.ssh import listening

TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0
   2: 0500000A:0050 0600000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:0C38 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 0000000000000000FFFF00000500000A:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000
"""
PLACES = listening.places(TABLES.splitlines())


def test_the_places_are_those_where_somebody_listens() -> None:
    assert {
        (ip_address("127.0.0.1"), 8080),
        (ip_address("0.0.0.0"), 22),
        (ip_address("::"), 3128),
        (ip_address("10.0.0.5"), 443),
    } == PLACES


@pytest.mark.parametrize(
    ("port", "bind", "free"),
    [
        (8080, "127.0.0.1", False),
        (8080, "0.0.0.0", False),
        (8080, "10.0.0.5", True),
        (22, "127.0.0.1", False),
        (3128, "127.0.0.1", False),
        (443, "10.0.0.5", False),
        (443, "127.0.0.1", True),
        (80, "10.0.0.5", True),
    ],
)
def test_a_port_is_free_where_nobody_listens(port: int, bind: str, free: bool) -> None:
    assert listening.is_free(port, bind, PLACES) is free
