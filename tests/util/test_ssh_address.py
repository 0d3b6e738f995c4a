"""Addresses of Docker hosts that SSH reaches."""

from __future__ import annotations

import pytest

from curtainup.util.ssh_address import SOCKET, Address, normal, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://shop.example.com", Address("shop.example.com")),
        ("ssh://deploy@shop", Address("shop", "deploy")),
        ("ssh://deploy@shop:2222", Address("shop", "deploy", 2222)),
        ("ssh://[fe80::1]:22", Address("fe80::1", None, 22)),
        (
            "ssh://me@10.0.0.5/run/user/1000/docker.sock",
            Address("10.0.0.5", "me", None, "/run/user/1000/docker.sock"),
        ),
    ],
)
def test_an_address_has_its_parts_and_is_written_as_it_was(text: str, address: Address) -> None:
    assert parse(text) == address
    assert normal(text) == text


@pytest.mark.parametrize("text", ["ssh://shop/", f"ssh://shop{SOCKET}"])
def test_what_goes_without_saying_is_left_out(text: str) -> None:
    assert normal(text) == "ssh://shop"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "tcp://shop:2375",
        "ssh://",
        "ssh://deploy:secret@shop",
        "ssh://-oProxyCommand=id",
        "ssh://-l@shop",
        "ssh://shop:0",
        "ssh://shop:65536",
        "ssh://shop/a b",
        "ssh://shop/$(id)",
        "ssh://shop\n",
        "ssh://shop?x",
    ],
)
def test_what_is_no_address_or_would_be_more_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not ssh://USER@HOST:PORT"):
        parse(text)
