"""The rehearsal's image registry, a real one, which the stand-ins of ECR and Artifact Registry use."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, build_opener

from curtainup.platforms.docker import confinement
from curtainup.rehearsal import containers
from curtainup.rehearsal.home import Home
from curtainup.setup.base_images.catalogue import REFERENCES, REGISTRY_FOLDER

if TYPE_CHECKING:
    from docker import APIClient

_PORT = 5000
_ATTEMPTS = 5
PATIENCE, PAUSE = 15.0, 0.02
"""Seconds until the registry must answer, and between two attempts."""


def address(home: Home) -> str:
    """Return the address of the registry, `127.0.0.1:PORT`; start the registry if it does not run.

    The port is chosen once and kept. The image `curtainup/registry` must be on this machine.
    """
    import docker

    client = docker.from_env()
    try:
        with home.cloud("registry") as state:
            for _ in range(_ATTEMPTS):
                port = state.setdefault("port", containers.free_port())
                if _runs(client.api, home, port):
                    _wait_until_it_answers(port)
                    return f"127.0.0.1:{port}"
                del state["port"]
    finally:
        client.close()
    raise RuntimeError("no loopback port can be had for the registry")


def place(home: Home) -> str:
    """Return the address of the registry, whether it runs or not."""
    with home.cloud("registry") as state:
        return f"127.0.0.1:{state.setdefault('port', containers.free_port())}"


def wake(home: Home, image: str) -> None:
    """Start the registry if an image is from it and it does not run: that of a cloud never ends."""
    if image.startswith(f"{place(home)}/"):
        address(home)


def has_image(api: APIClient, home: Home, reference: str) -> bool:
    """Return whether an image is on this machine or can be pulled."""
    from docker.errors import APIError, ImageNotFound

    try:
        api.inspect_image(reference)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        wake(home, reference)
        try:
            api.pull(reference)
            api.inspect_image(reference)  # type: ignore[no-untyped-call]
        except APIError:
            return False
    return True


def _wait_until_it_answers(port: int) -> None:
    """Wait until the registry accepts requests, because Docker retries a push only after seconds."""
    direct = build_opener(ProxyHandler({}))  # ignores HTTP_PROXY: the registry is on this machine
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), direct.open(f"http://127.0.0.1:{port}/v2/", timeout=1):
            return
        time.sleep(PAUSE)
    raise RuntimeError(f"the rehearsal's registry does not answer on port {port}")


def _runs(api: APIClient, home: Home, port: int) -> bool:
    """Start the registry if it does not run; return False if another program has its port."""
    from docker.errors import APIError, NotFound

    name = home.docker_name("registry")
    try:
        found = api.inspect_container(name)
    except NotFound:
        _create(api, home, name, port)
        found = {"State": {"Running": False}}
    if found["State"]["Running"]:
        return True
    try:
        api.start(name)
    except APIError as error:
        if "port is already allocated" not in str(error) and "address already in use" not in str(error):
            raise
        api.remove_container(name, force=True)
        return False
    return True


def _create(api: APIClient, home: Home, name: str, port: int) -> None:
    from docker.errors import APIError

    volume, network = home.docker_name("images"), home.docker_name("registry")
    api.create_volume(volume, labels=home.labels)
    if not api.networks(names=[f"^{network}$"]):
        api.create_network(network, labels=home.labels)
    bindings: dict[int | str, Any] = {_PORT: ("127.0.0.1", port)}
    with suppress(APIError):
        api.remove_container(name, force=True)
    api.create_container(
        REFERENCES["registry"],
        name=name,
        labels=home.labels,
        ports=[_PORT],
        host_config=api.create_host_config(
            port_bindings=bindings,
            binds=[f"{volume}:{REGISTRY_FOLDER}"],
            restart_policy={"Name": "unless-stopped"},
            network_mode=network,
            **confinement.bounded(),
        ),
    )
