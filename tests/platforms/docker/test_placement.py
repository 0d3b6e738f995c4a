from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from io import FileIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.errors import PortTaken
from curtainup.model.release import Deployment
from curtainup.platforms.docker import claims, placement
from tests import samples


@pytest.fixture(autouse=True, scope="module")
def _own_claims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Claim nothing from deployments that run at the same time."""
    with (
        pytest.MonkeyPatch.context() as patch,
        FileIO(tmp_path_factory.mktemp("claims") / "claims", "a") as file,
    ):
        patch.setattr(claims, "_file", lambda: file)
        yield


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on the loopback interface on which something listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_port_on_which_something_listens_is_not_free(listener: int) -> None:
    assert not placement.is_free(listener)
    assert not placement.is_free(listener, "0.0.0.0")


def test_a_port_that_this_user_may_not_have_is_left_to_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert placement.is_free(80)


def test_a_port_that_nothing_holds_is_free() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert placement.is_free(port)


def test_an_address_that_this_machine_does_not_have_is_not_free() -> None:
    assert not placement.is_free(8080, "192.0.2.1")


def test_a_taken_port_of_the_configuration_is_named_with_a_way_to_find_its_owner(listener: int) -> None:
    with pytest.raises(PortTaken) as caught:
        placement.require_free(listener, "127.0.0.1", "port")
    assert caught.value.what == f"port {listener} belongs to something else"
    assert f"port: {listener} in pym-config.yaml, on 127.0.0.1" == caught.value.where
    assert f"sport = :{listener}" in str(caught.value.fix)


def test_chosen_ports_stay_below_the_ephemeral_range() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:  # noqa: PTH123 - one line
        lowest = int(file.read().split()[0])
    assert max(placement.INTERNAL_PORTS) < lowest
    assert max(placement.PUBLIC_PORTS) < lowest


def test_a_public_port_is_the_first_that_is_free_and_not_taken() -> None:
    first = placement.public_port("127.0.0.1", ())
    second = placement.public_port("127.0.0.1", {first})
    assert first in placement.PUBLIC_PORTS
    assert second > first


def test_no_port_left_is_an_error_with_a_fix() -> None:
    with pytest.raises(PortTaken, match="no free port is left") as caught:
        placement.public_port("127.0.0.1", placement.PUBLIC_PORTS)
    assert "port:" in str(caught.value.fix)


def test_an_internal_port_is_the_same_for_the_same_name() -> None:
    assert placement.internal_port("cu-placement-a", ()) == placement.internal_port("cu-placement-a", ())


def test_two_ports_of_one_process_differ_before_either_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for these two begins at one port; staging's is chosen before the registry runs."""
    monkeypatch.setattr(placement, "_chosen", {})
    registry = placement.internal_port("hello-17c4dd-registry", ())
    assert placement.internal_port("hello-17c4dd-staging-stats", ()) != registry
    assert placement.internal_port("hello-17c4dd-registry", ()) == registry


def test_a_taken_internal_port_makes_way_for_the_next() -> None:
    first = placement.internal_port("cu-placement-b", ())
    assert placement.internal_port("cu-placement-b", {first}) != first


@given(
    st.text(max_size=60),
    st.lists(st.integers(0, 255).map(lambda third: f"10.213.{third}.0/24"), max_size=250, unique=True),
)
def test_a_network_overlaps_none_that_is_there(name: str, taken: list[str]) -> None:
    placement._chosen.clear()
    others = [*taken, "172.17.0.0/16", "fd00::/64", "10.0.0.0/24"]
    chosen = ipaddress.IPv4Network(placement.subnet(name, others))
    assert chosen.prefixlen == 24
    assert not any(chosen.overlaps(ipaddress.IPv4Network(other)) for other in taken)


def test_no_network_left_is_an_error_with_a_fix() -> None:
    with pytest.raises(PortTaken, match="no network is left") as caught:
        placement.subnet("shop-live", placement.POOLS)
    assert "docker network prune" in str(caught.value.fix)


@pytest.mark.parametrize("route", ["10.0.0.0/8", "10.213.0.0/16", "10.213.0.0/17"])
def test_a_network_hides_nothing_that_the_host_routes_elsewhere(route: str) -> None:
    """As a VPN does."""
    chosen = ipaddress.IPv4Network(placement.subnet("cu-placement-route", [], [route]))
    assert not chosen.overlaps(ipaddress.IPv4Network(route))


def test_a_release_gets_no_address_of_a_guest() -> None:
    """Docker gives guests addresses of one part of the network; on an older network they may have any."""
    there = [f"10.213.7.{number}" for number in range(3, 127)]
    place = placement.address("cu-placement-guest", "10.213.7.0/24", Deployment(), (), there)
    assert place.ip == "10.213.7.127"
    place = placement.address("cu-placement-guest", "10.213.7.0/24", Deployment(), (), [*there, place.ip])
    assert place.ip == "10.213.7.192", "what is between is for guests"


def test_no_address_left_is_an_error() -> None:
    everybody = [str(one) for one in ipaddress.ip_network("10.213.7.0/24")]
    with pytest.raises(PortTaken, match="no address is left"):
        placement.address("cu-placement-full", "10.213.7.0/24", Deployment(), (), everybody)


@given(st.integers(0, 20))
def test_a_new_release_shares_no_address_with_another(count: int) -> None:
    deployment = Deployment()
    for number in range(1, count + 2):
        place = placement.address(f"cu-placement-{number}", "10.213.7.0/24", deployment, {20000})
        new = samples.release(number, address=place)
        deployment = Deployment(releases=(*deployment.releases, new))
    places = [one.address for one in deployment.releases if one.address]
    assert len({place.ip for place in places}) == len(places)
    assert len({place.port for place in places} | {20000}) == len(places) + 1
    gateway_and_proxy = {"10.213.7.1", "10.213.7.2"}
    assert not gateway_and_proxy & {place.ip for place in places}


def test_the_place_of_a_dropped_release_is_given_again() -> None:
    kept = samples.release(2)
    place = placement.address("cu-placement-c", "10.213.0.0/24", Deployment(releases=(kept,)), ())
    assert place.ip == "10.213.0.11"


def test_two_networks_of_one_process_differ_before_either_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim keeps out other processes, and the registry's network is chosen long before staging's."""
    monkeypatch.setattr(placement, "_from", lambda numbers, _: iter(numbers))
    monkeypatch.setattr(placement, "_chosen", {})
    one = placement.subnet("cu-placement-one", ())
    assert placement.subnet("cu-placement-other", ()) != one
    assert placement.subnet("cu-placement-one", ()) == one
