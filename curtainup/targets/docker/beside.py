"""Whether the Docker host has what releases need beside them: `networks` and `volumes`.

curtainup makes neither, and removes neither: others use them too, and what is on a volume outlives releases.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curtainup.errors import RefusedError, SetupError
from curtainup.model.accessories import network
from curtainup.platforms.docker import distant, errors
from curtainup.platforms.docker.labels import ENVIRONMENT, SERVICE
from curtainup.util.docker_mounts import Mount, mount_of

if TYPE_CHECKING:
    from docker import DockerClient

    from curtainup.config import EnvironmentConfig

NOTHING = "nothing was built or deployed"


def networks(config: EnvironmentConfig) -> tuple[str, ...]:
    """Return the networks that an environment's releases join besides its own, that of accessories last."""
    own = (network(config.service, config.environment),) if config.accessories else ()
    return (*config.networks, *own)


def require(client: DockerClient, config: EnvironmentConfig) -> None:
    """Check that what an environment's releases need beside them is there, and nobody else writes to it.

    Raises:
        SetupError: a network, a volume or a folder is not there, or the Docker engine does not answer.
        RefusedError: something else writes to a volume, or a network is the environment's own.

    """
    mounts = [mount_of(one) for one in config.volumes]
    with errors.translated(
        "the Docker engine does not tell what it has",
        where="networks and volumes in pym-config.yaml",
        consequence=NOTHING,
    ):
        for name in config.networks:
            _require_network(client, name, f"{config.service}-{config.environment}")
        for one in mounts:
            if one.is_path:
                _require_path(client, one.source)
            else:
                _require_volume(client, one.source)
        _require_one_writer(client, mounts, config)


def _require_network(client: DockerClient, name: str, own: str) -> None:
    from docker.errors import NotFound

    if name == own:
        raise RefusedError(
            f"{name} is the environment's own network, which its containers are on anyhow",
            where="networks in pym-config.yaml",
            consequence=NOTHING,
            fix="remove it from `networks`",
        )
    try:
        client.api.inspect_network(name)
    except NotFound:
        raise SetupError(
            f"the Docker host has no network {name}",
            where="networks in pym-config.yaml",
            consequence=NOTHING,
            fix=f"on the host: docker network create {name}",
        ) from None


def _require_volume(client: DockerClient, name: str) -> None:
    from docker.errors import NotFound

    try:
        client.api.inspect_volume(name)
    except NotFound:
        raise SetupError(
            f"the Docker host has no volume {name}",
            where="volumes in pym-config.yaml",
            consequence=NOTHING,
            fix=f"on the host: docker volume create {name}",
        ) from None


def _require_path(client: DockerClient, path: str) -> None:
    if isinstance(client, distant.DistantClient):
        script = f"if [ -e {shlex.quote(path)} ]; then echo yes; else echo no; fi"
        there = client.there.connection.shell(script).strip() != "no"
    else:
        there = Path(path).exists() or not distant.is_here(client)
    if not there:
        raise SetupError(
            f"the Docker host has no {path}",
            where="volumes in pym-config.yaml",
            consequence=NOTHING,
            fix=f"on the host: mkdir -p {shlex.quote(path)}, for the user of the image",
        )


def _require_one_writer(client: DockerClient, mounts: Sequence[Mount], config: EnvironmentConfig) -> None:
    """Check that no container of another environment, or of anything else, writes to a volume of ours."""
    written = {one.source: one for one in mounts if not one.read_only}
    if not written:
        return
    for container in client.api.containers(all=True):
        if _is_own(container["Labels"] or {}, config):
            continue
        for mount in container.get("Mounts") or []:
            source = _source_of(mount)
            if mount.get("RW", True) and source in written:
                name = str(container["Names"][0]).lstrip("/")
                raise _in_use(written[source], name)


def _is_own(labels: Mapping[str, str], config: EnvironmentConfig) -> bool:
    return (labels.get(SERVICE), labels.get(ENVIRONMENT)) == (config.service, config.environment)


def _source_of(mount: Mapping[str, Any]) -> str:
    return str(mount.get("Source" if mount.get("Type") == "bind" else "Name") or "")


def _in_use(mount: Mount, other: str) -> RefusedError:
    what = mount.source if mount.is_path else f"volume {mount.source}"
    return RefusedError(
        f"{what} is in use: the container {other} writes to it",
        where="volumes in pym-config.yaml",
        consequence=f"two would write to the same files, so {NOTHING}",
        fix=f"give each environment a volume of its own in its section, add `:ro` here, or remove {other}",
    )
