from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands.several.members import Member
from curtainup.commands.several.order import ordered
from curtainup.errors import ConfigError
from tests.commands.several.conftest import Services


def member(name: str, *depends_on: str, folder: Path = Path()) -> Member:
    return Member(folder, name, folder / "pym-config.yaml", depends_on)


def names(*members: Member) -> list[str]:
    return [one.name for one in ordered(members)]


def test_each_comes_after_those_that_it_depends_on() -> None:
    found = names(member("shop", "users", "billing"), member("billing", "users"), member("users"))
    assert found == ["users", "billing", "shop"]


def test_else_the_order_stays() -> None:
    assert names(member("c"), member("a"), member("b", "a")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("members", "circle"),
    [
        ([member("a", "a")], "a → a"),
        ([member("a", "b"), member("b", "a")], "a → b → a"),
        ([member("x", "a"), member("a", "b"), member("b", "c"), member("c", "a")], "a → b → c → a"),
    ],
)
def test_a_circle_is_an_error_that_shows_it(members: list[Member], circle: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ordered(members)
    assert caught.value.what == f"services depend on each other in a circle: {circle}"


def test_a_service_of_the_repository_that_is_not_asked_for_stays_as_it_is(services: Services) -> None:
    shop = services.add("shop", "users")
    services.add("users")
    services.commit()
    [found] = ordered([member("shop", "users", folder=shop)])
    assert found.depends_on == ()


def test_a_name_that_is_no_service_is_an_error(services: Services) -> None:
    shop = services.add("shop", "usres")
    services.add("users")
    services.write("services/broken/pym-config.yaml", "[")
    services.commit()
    with pytest.raises(ConfigError, match="shop depends on usres, which is no service") as caught:
        ordered([member("shop", "usres", folder=shop)])
    assert caught.value.fix == "did you mean `users`?"


def test_a_name_is_an_error_where_there_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which is no service"):
        ordered([member("shop", "users", folder=tmp_path)])
