from __future__ import annotations

import pytest

from curtainup.platforms.caddy import config


def test_the_file_names_the_acme_server_and_the_door() -> None:
    text = config.render(door="d1", directory="https://acme.test/dir", email="a@b.test", has_root=True)
    assert "\tacme_ca https://acme.test/dir\n" in text
    assert f"\tacme_ca_root {config.ROOT_FILE}\n" in text
    assert "\temail a@b.test\n" in text
    assert 'respond "d1" 200' in text


def test_without_keys_the_acme_server_is_caddys_own_choice() -> None:
    text = config.render(door="d1")
    assert "acme_ca" not in text
    assert "email" not in text


def test_nobody_can_change_the_configuration_of_a_door_that_runs() -> None:
    """A Caddy that loads another configuration fails requests that are on their way on kept connections."""
    assert "admin off" in config.render(door="d1")


@pytest.mark.parametrize(
    "value", ["https://a.test {", 'https://a.test"', "https://a\nadmin", "{env.X}", "a`b"]
)
def test_no_value_can_change_another_line(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be a word"):
        config.render(door="d1", directory=value)


@pytest.mark.parametrize("value", ["shop.example.com", "a.b", "xn--bcher-kva.example"])
def test_names(value: str) -> None:
    assert config.is_host(value)


@pytest.mark.parametrize(
    "value", ["", "shop", "*.example.com", "Shop.example.com", "a..b", "a.b:443", "../x", "a.b\n", 3, None]
)
def test_what_is_no_name_a_route_can_be_for(value: object) -> None:
    assert not config.is_host(value)


def test_the_name_on_the_network_leads_nowhere_else() -> None:
    """A request for a name must never be sent to what the public DNS says of it."""
    assert config.alias("shop.example.com") == "shop.example.com.curtainup.internal"
