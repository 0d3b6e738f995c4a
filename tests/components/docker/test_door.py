from __future__ import annotations

from typing import Any

import pytest

from curtainup.model import release_config
from curtainup.model.door import DoorSettings
from tests import samples
from tests.components.program import CONTAINER, NETWORK, SWITCH, VOLUME, Run, render

ROUTE = "curtainup:door:DoorRoute"
DOOR = DoorSettings(
    image="curtainup/door:1", name="d1", subnet="10.213.8.0/24", outside="10.213.9.0/24", email="a@b.test"
)


@pytest.fixture(scope="module")
def door() -> Run:
    return render({"door": DOOR.model_dump(mode="json")})


def _environment(**changed: Any) -> Run:
    deployment = samples.deployment(100)
    return render(
        {
            "environment": samples.environment(**changed).model_dump(mode="json"),
            "releases": release_config.to_config(deployment, {}),
            "traffic": deployment.traffic,
        }
    )


@pytest.fixture(scope="module")
def behind() -> Run:
    return _environment(https_host="shop.example.com", door="10.213.8.2", door_name="d1")


def test_what_holds_certificates_is_protected(door: Run) -> None:
    """The container is not: one that could not start has to be made again."""
    assert door.one(VOLUME).protect
    assert not door.one(CONTAINER).protect


def test_the_network_with_the_proxies_leads_nowhere_else(door: Run) -> None:
    """A container that joins it must keep its default route, and with it its published ports."""
    networks = {one.inputs["name"]: one.inputs for one in door.of(NETWORK).values()}
    assert networks["curtainup-door"]["internal"]
    assert not networks["curtainup-door-outside"].get("internal")


def test_the_door_listens_on_the_ports_of_the_web_alone(door: Run) -> None:
    ports = door.one(CONTAINER).inputs["ports"]
    assert [(one["external"], one.get("protocol", "tcp")) for one in ports] == [
        (80, "tcp"),
        (443, "tcp"),
        (443, "udp"),
    ]


def test_the_door_is_confined_and_its_address_is_known(door: Run) -> None:
    inputs = door.one(CONTAINER).inputs
    assert inputs["capabilities"] == {"adds": [], "drops": ["ALL"]}
    assert inputs["networksAdvanced"][1]["ipv4Address"] == "10.213.8.2" == door.exported()["address"]


def test_a_route_comes_after_the_switch(behind: Run) -> None:
    route = behind.one(ROUTE)
    assert route.inputs["host"] == "shop.example.com"
    assert route.inputs["owner"] == "shop-live"
    assert "shop-live-traffic" in route.dependencies
    assert behind.exported()["public_url"] == "https://shop.example.com"
    assert behind.exported()["url"] == "http://127.0.0.1:8081"


def test_the_proxy_believes_the_door(behind: Run) -> None:
    assert behind.one(SWITCH).inputs["door"] == "10.213.8.2"
    proxy = behind.of(CONTAINER)["shop-live-proxy"].inputs
    assert "acl believed src 10.213.8.2" in proxy["uploads"][0]["content"]


def test_without_https_nothing_is_as_it_was_not() -> None:
    run = _environment()
    assert not run.of(ROUTE)
    assert "public_url" not in run.exported()
    assert run.one(SWITCH).inputs.get("door") is None


def test_the_proxy_itself_is_the_same_with_https(behind: Run) -> None:
    """It must not be replaced where an environment that serves gets HTTPS."""
    before = _environment().of(CONTAINER)["shop-live-proxy"]
    after = behind.of(CONTAINER)["shop-live-proxy"]
    differing = {
        key for key in {**before.inputs, **after.inputs} if before.inputs.get(key) != after.inputs.get(key)
    }
    assert differing <= set(before.ignore_changes)
