"""Chooses ports, networks and addresses on a Docker host. Pulumi remembers them, so it chooses them once."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Callable, Collection, Iterator

from curtainup.errors import PortTaken
from curtainup.model.release import Address, Deployment
from curtainup.model.targets.docker import guests
from curtainup.platforms.docker.claims import NETWORKS, claim

# Below Linux's ephemeral range (32768 …), where an outgoing connection could occupy a port after a reboot.
PUBLIC_PORTS = range(8080, 8180)
INTERNAL_PORTS = range(20000, 32000)
FIRST_RELEASE = 10
POOLS = ("10.213.0.0/16", "172.29.0.0/16", "192.168.208.0/20")
"""Where networks come from: the second and third where the host routes the ones before elsewhere."""
_NETWORKS = [tuple(ipaddress.IPv4Network(pool).subnets(new_prefix=24)) for pool in POOLS]

Free = Callable[[int, str], bool]
"""Says whether a process could listen on a port and an address of the Docker host."""

_chosen: dict[int, str] = {}
"""For whom this process has chosen a port or a network that nobody uses yet: claims keep out others only."""


def is_free(port: int, bind: str = "127.0.0.1") -> bool:
    """Return whether a process can listen on a TCP port here.

    Whoever may not listen on a low port sees nothing; Docker may, and refuses a taken one.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except PermissionError:
            return True
        except OSError:
            return False
    return True


def require_free(port: int, bind: str, key: str, free: Free = is_free) -> None:
    """Check that a configured port is free.

    Raises:
        PortTaken: another process listens on the port.

    """
    if not free(port, bind):
        raise PortTaken(
            f"port {port} belongs to something else",
            where=f"{key}: {port} in pym-config.yaml, on {bind}",
            consequence="the environment could not be reached there, so nothing was started",
            fix=f"find its owner with `ss -ltnp 'sport = :{port}'`, or set another `port:`",
        )


def public_port(bind: str, taken: Collection[int], free: Free = is_free) -> int:
    """Return the first free public port, from 8080 on."""
    return _first_free(iter(PUBLIC_PORTS), taken, bind, free)


def internal_port(name: str, taken: Collection[int], free: Free = is_free) -> int:
    """Return a free loopback port that this process has chosen for no other name.

    The search starts at a hash of the name, so that few names collide.
    """
    others = {port for port, whose in _chosen.items() if whose != name}
    port = _first_free(_from(INTERNAL_PORTS, name), {*taken, *others}, "127.0.0.1", free)
    _chosen[port] = name
    return port


def subnet(name: str, taken: Collection[str], routed: Collection[str] = ()) -> str:
    """Return a /24 network that overlaps no other.

    Args:
        name: whose it is to be: one name tends to get one network.
        taken: the networks that there are, in CIDR notation.
        routed: the networks that the host has routes to, which ours would hide.

    Raises:
        PortTaken: there is none left.

    """
    networks = [ipaddress.ip_network(other, strict=False) for other in (*taken, *routed)]
    others = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    first = NETWORKS
    for pool in _NETWORKS:
        for index in _from(range(len(pool)), name):
            overlaps = any(pool[index].overlaps(other) for other in others)
            free = _chosen.get(first + index, name) == name
            if free and not overlaps and claim(first + index):
                _chosen[first + index] = name
                return str(pool[index])
        first += len(pool)
    raise PortTaken(
        "no network is left for the environment",
        where=", ".join(POOLS),
        consequence="nothing was started",
        fix="docker network prune removes networks that nothing uses; `ip route` shows what leads elsewhere",
    )


def address(
    name: str,
    network: str,
    deployment: Deployment,
    taken_ports: Collection[int],
    taken: Collection[str] = (),
    free: Free = is_free,
) -> Address:
    """Return an address for a new release that neither another release nor a guest has.

    Args:
        name: of the release's container.
        network: of the environment, in CIDR notation.
        deployment: the releases that there are.
        taken_ports: ports that cannot be used.
        taken: addresses of whatever else is on the network.
        free: says whether a port of the Docker host is free.

    Raises:
        PortTaken: none is left.

    """
    places = [release.address for release in deployment.releases if release.address is not None]
    used = {*(place.ip for place in places), *taken}
    reserved = ipaddress.IPv4Network(guests(network))
    hosts = list(ipaddress.IPv4Network(network).hosts())[FIRST_RELEASE:-1]
    left = [str(host) for host in hosts if host not in reserved and str(host) not in used]
    if not left:
        raise PortTaken(
            "no address is left for another release",
            where=network,
            consequence="nothing was started",
            fix="docker network inspect shows what is on the environment's network; take something away",
        )
    ports = {*taken_ports, *(place.port for place in places)}
    return Address(ip=left[0], port=internal_port(name, ports, free))


def _from(numbers: range, name: str) -> Iterator[int]:
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % len(numbers)
    yield from numbers[start:]
    yield from numbers[:start]


def _first_free(numbers: Iterator[int], taken: Collection[int], bind: str, free: Free) -> int:
    for port in numbers:
        if port not in taken and claim(port) and free(port, bind):
            return port
    raise PortTaken(
        "no free port is left",
        where=bind,
        consequence="nothing was started",
        fix="set `port:` for this environment in pym-config.yaml",
    )
