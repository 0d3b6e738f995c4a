from __future__ import annotations

import os
from pathlib import Path

import pytest

from curtainup.commands.several import members
from curtainup.errors import ConfigError
from tests.commands.several.conftest import Services


def read(*folders: Path, overlay: str | None = None) -> tuple[list[str], list[str]]:
    told: list[str] = []
    return [one.name for one in members.read(folders, overlay, told.append)], told


def test_a_folder_is_a_service_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, users = services.add("shop"), services.add("users")
    monkeypatch.chdir(services.top)
    again = Path(f"{os.path.relpath(shop)}/../shop/")
    assert read(shop, users, again, shop) == (["shop", "users"], [])


def test_what_is_no_service_is_left_out_and_told(services: Services) -> None:
    shop = services.add("shop")
    note = services.write("services/README.md", "")
    empty = services.write("services/empty/x", "").parent
    names, told = read(note, empty, shop)
    assert names == ["shop"]
    assert told == [f"{one} is no service: it has no pym-config.yaml" for one in (note, empty)]


def test_what_does_not_exist_is_an_error(services: Services) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read(services.add("shop"), services.top / "services" / "shpo")


def test_no_service_at_all_is_an_error(services: Services) -> None:
    with pytest.raises(ConfigError, match="none of these is the folder of a service"):
        read(services.write("services/README.md", ""))


def test_two_services_of_one_name_are_an_error(services: Services) -> None:
    with pytest.raises(ConfigError, match="two services are called shop") as caught:
        read(services.add("shop"), services.add("store", name="shop"))
    assert "store/pym-config.yaml" in (caught.value.where or "")


def test_another_file_may_be_the_configuration(services: Services) -> None:
    shop, users = services.add("shop"), services.add("users")
    services.write("services/shop/pym-config.demo.yaml", "name: shop-demo\n")
    names, told = read(shop, users, overlay="demo")
    assert names == ["shop-demo"]
    assert told == [f"{users} is no service: it has no pym-config.demo.yaml"]


def test_a_wrong_configuration_is_an_error(services: Services) -> None:
    shop = services.add("shop")
    services.write("services/shop/pym-config.yaml", "name: shop\nport: x\n")
    with pytest.raises(ConfigError, match="has a problem"):
        read(shop, services.add("users"))
