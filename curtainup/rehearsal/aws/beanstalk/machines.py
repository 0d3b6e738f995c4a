"""The containers of Beanstalk's stand-in: one plays the machine, and proxies play load balancer and name."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from curtainup.platforms.docker import confinement
from curtainup.platforms.haproxy import config as haproxy
from curtainup.platforms.haproxy.config import Server
from curtainup.platforms.haproxy.proxy import Proxy
from curtainup.rehearsal import containers, registry
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from curtainup.setup.base_images.catalogue import REFERENCES

if TYPE_CHECKING:
    from docker import APIClient

_NAMED = "    http-response set-header Curtainup-Release %[srv_name]\n"
_REQUEST_TIMEOUT = 3600
_CRASH = ["sh", "-c", "echo 'asked to crash by the rehearsal' >&2; exit 1"]
_PAUSE = 0.05
_ATTEMPTS = 5


class NoImage(Exception):
    """The image cannot be pulled; the text is that of the registry."""


@dataclass(frozen=True)
class Check:
    """The load balancer's health check.

    Attributes:
        path: the path of the request.
        codes: the healthy status codes, such as `200-299` or `200,302`.

    """

    path: str
    codes: str

    def passes(self, status: int) -> bool:
        """Return whether an answer is healthy."""
        spans = [part.partition("-") for part in self.codes.split(",")]
        return any(int(low) <= status <= int(high or low) for low, _, high in spans)


class Machines:
    """The Docker objects of one rehearsal's environments."""

    def __init__(self, home: Home, api: APIClient) -> None:
        self._home = home
        self._api = api

    def pull(self, image: str) -> None:
        """Pull an image if it is not on this machine.

        Raises:
            NoImage: no registry has the image.

        """
        from docker.errors import APIError, ImageNotFound

        with suppress(ImageNotFound):
            self._api.inspect_image(image)  # type: ignore[no-untyped-call]
            return
        registry.wake(self._home, image)
        try:
            for line in self._api.pull(image, stream=True, decode=True):
                if "error" in line:
                    raise NoImage(line["error"])
        except APIError as error:
            raise NoImage(str(error.explanation)) from error

    def start(self, name: str, image: str, variables: Mapping[str, str], *, crash: bool = False) -> str:
        """Start a machine's container and return its address; the container may end at once."""
        self.remove([name])
        container = self._api.create_container(
            image,
            name=name,
            entrypoint=_CRASH if crash else None,
            command=[] if crash else None,
            environment=dict(variables),
            labels=self._home.labels,
            host_config=self._api.create_host_config(network_mode=self._network(), init=True),
        )
        self._api.start(container["Id"])
        return self.address(name)

    def address(self, name: str) -> str:
        """Return a container's address on the rehearsal's network; empty when it is down."""
        networks = self._api.inspect_container(name)["NetworkSettings"]["Networks"]
        return str(networks[self._network()]["IPAddress"])

    def is_down(self, name: str) -> bool:
        """Return whether a container has ended or is gone."""
        from docker.errors import NotFound

        try:
            return not self._api.inspect_container(name)["State"]["Running"]
        except NotFound:
            return True

    def log(self, name: str) -> str:
        """Return a container's last lines, joined."""
        from docker.errors import APIError

        try:
            return " ".join(self._api.logs(name, tail=10).decode(errors="replace").split())
        except APIError:
            return ""

    def answers(self, name: str, url: str, check: Check, cloud: Cloud, seconds: float) -> bool:
        """Wait until a container passes the health check; return False if it ends or time runs out."""
        end = monotonic() + seconds
        while monotonic() < end and not self.is_down(name):
            with suppress(OSError):
                if check.passes(_status(f"{url}{check.path}")):
                    return True
            if cloud.cancelled.wait(_PAUSE):
                return False
        return False

    def balancer(self, name: str, target: Server, release: str | None = None) -> int:
        """Start a proxy for a target, or point a running one to it; return the proxy's loopback port.

        Args:
            name: the name of the proxy's container.
            target: the address that the proxy leads to.
            release: the release that it names in every answer; None leaves answers as they are.

        """
        from docker.errors import NotFound

        try:
            found = self._api.inspect_container(name)
        except NotFound:
            self._create_balancer(name, _config(target, release))
            found = self._api.inspect_container(name)
        else:
            self._point(name, target, release)
        bound = found["NetworkSettings"]["Ports"][f"{haproxy.PORT}/tcp"]
        return int(bound[0]["HostPort"])

    def remove(self, names: Iterable[str]) -> None:
        """Remove containers; it is no error if one is gone."""
        from docker.errors import NotFound

        for name in names:
            with suppress(NotFound):
                self._api.remove_container(name, force=True, v=True)

    def _point(self, name: str, target: Server, release: str | None) -> None:
        """Point a proxy to a new target; delete the old target once it has no sessions."""
        proxy = Proxy(self._api, name)
        observed = proxy.observe().servers
        wanted = {target.release: target}
        rest = {one: Server(one, old.address, 0) for one, old in observed.items() if one not in wanted}
        config = _config(target, release)
        after = proxy.command(observed, haproxy.moves(observed, {**wanted, **rest}), config).servers
        if rest:
            proxy.command(after, haproxy.removals(after, wanted), config)

    def _create_balancer(self, name: str, config: str) -> None:
        from docker.errors import APIError

        for attempt in range(_ATTEMPTS):
            port = containers.free_port()
            host = self._api.create_host_config(
                network_mode=self._network(),
                port_bindings={haproxy.PORT: ("127.0.0.1", port)},
                restart_policy={"Name": "unless-stopped"},
                **confinement.bounded(),
            )
            self._api.create_container(
                REFERENCES["proxy"],
                name=name,
                labels=self._home.labels,
                ports=[haproxy.PORT],
                host_config=host,
            )
            self._api.put_archive(name, "/etc/curtainup", containers.archive("haproxy.cfg", config.encode()))
            try:
                self._api.start(name)
            except APIError:
                self.remove([name])
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                Proxy(self._api, name).observe()
                return

    def _network(self) -> str:
        from docker.errors import APIError

        name = self._home.docker_name("aws")
        with self._home.cloud("aws-network") as state:
            if not state.get("made") or not self._api.networks(names=[name]):
                with suppress(APIError):
                    self._api.create_network(name, labels=self._home.labels, check_duplicate=True)
                state["made"] = True
        return name


@contextmanager
def machines(home: Home) -> Iterator[Machines]:
    """Yield the machines, with a connection to the Docker engine."""
    import docker

    client = docker.from_env()
    try:
        yield Machines(home, client.api)
    finally:
        client.close()


def _config(target: Server, release: str | None) -> str:
    named = f"    http-response set-header Curtainup-Release {haproxy.word(release)}\n" if release else ""
    return haproxy.render((target,), request_timeout=_REQUEST_TIMEOUT).replace(_NAMED, named)


def _status(url: str) -> int:
    request = urllib.request.Request(url, headers={"User-Agent": "ELB-HealthChecker/2.0"})  # noqa: S310
    try:
        with _DIRECT.open(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow no redirect: it is the answer."""


# Containers are on this machine, whatever HTTP_PROXY says.
_DIRECT = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
