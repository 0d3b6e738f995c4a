"""Where a target's images go when nothing else is configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curtainup.model.contract import RegistrySettings
from curtainup.platforms.docker import networks, placement
from curtainup.platforms.docker.labels import new_state
from curtainup.setup.base_images.catalogue import REFERENCES, REGISTRY_FOLDER
from curtainup.targets import engines

if TYPE_CHECKING:
    from curtainup.session import Session


def _below_the_host(registry: RegistrySettings, service: str) -> str:
    return f"{registry.host}/{service}"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A kind of registry.

    Attributes:
        kind: as `RegistrySettings` has it.
        choose: returns the registry of a service, as remembered where that still fits.
        repository: returns the name of a service's image there, without tag or digest.
        login: returns user and short-lived password; None leaves it to Docker's own login.
        is_account: whether `docker_repo` without a host names the cloud's account, and no registry.

    """

    kind: str
    choose: Callable[[Session, RegistrySettings | None], RegistrySettings]
    repository: Callable[[RegistrySettings, str], str] = _below_the_host
    login: Callable[[Session, RegistrySettings], tuple[str, str]] | None = None
    is_account: bool = False


def _local(session: Session, known: RegistrySettings | None) -> RegistrySettings:
    name = f"{session.service.config.name}-registry"
    if known is not None and known.kind == LOCAL.kind:
        engines.require_same(session, known.engine, f"the registry {name}")
        return known if known.subnet else known.model_copy(update={"subnet": _subnet(session, name)})
    port = placement.internal_port(name, (), _free_everywhere(session))
    return RegistrySettings(
        kind=LOCAL.kind,
        host=f"127.0.0.1:{port}",
        local_port=port,
        image=REFERENCES["registry"],
        state=new_state(),
        subnet=_subnet(session, name),
        folder=REGISTRY_FOLDER,
        engine=session.accounts.engine_id,
    )


def _free_everywhere(session: Session) -> placement.Free:
    """Say which ports are free on the Docker hosts and here: the registry has the same one on all of them."""
    hosts = [one.accounts.host for one in session.everywhere]
    return lambda port, bind: placement.is_free(port, bind) and all(one.is_free(port, bind) for one in hosts)


def _subnet(session: Session, name: str) -> str:
    client = session.accounts.docker
    return placement.subnet(name, networks.subnets(client), networks.routed(client))


LOCAL = Registry(kind="local", choose=_local)
"""A registry that curtainup runs on the Docker host."""
