"""Controls a running proxy container through the Docker API alone, so that a remote engine works too.

Every operation is one `exec` of one script, because the time of a switch is the time of its round trips.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from curtainup.errors import EngineFailed, SetupError
from curtainup.platforms.haproxy import config as haproxy
from curtainup.platforms.haproxy import maintenance, script
from curtainup.platforms.haproxy.config import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import APIClient

# The script acts only if HAProxy's servers are those that the commands expect, and prints the servers
# afterwards. It writes the file first, so that nothing moves if that fails. A proxy that has just started
# gets a few seconds to open its socket.
_SCRIPT = """\
set -eu
ask() { printf '%s\\n' "$1" | socat -t 10 - "UNIX-CONNECT:$SOCKET"; }
facts() { printf '%s\\n' "$1" | awk -v pool="$POOL" '$2 == pool {print $4, $5 ":" $19, $8, $7 == 0}' | sort; }
tries=100
until now=$(ask "$SHOW" 2>/dev/null); do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { ask "$SHOW"; exit 1; }
    sleep 0.1
done
if [ -n "$COMMANDS" ] && [ "$(facts "$now")" = "$EXPECTED" ]; then
    printf '%s' "$CONFIG" >"$FILE.new"
    sync "$FILE.new"
    mv -T "$FILE.new" "$FILE"
    ask "$COMMANDS"
    [ -z "$LAST" ] || ask "$LAST"
    now=$(ask "$SHOW")
fi
echo "== maintenance"
ask "$MAINTENANCE"
echo "== servers"
printf '%s\\n' "$now"
echo "== config"
sha256sum "$FILE" 2>/dev/null | cut -d' ' -f1
echo "== end"
"""


@dataclass(frozen=True)
class Observed:
    """The state of a proxy.

    Attributes:
        servers: its servers by release.
        config: SHA-256 of its configuration file, hexadecimal; empty if there is no file.
        said: HAProxy's answer to the commands.
        maintenance: the page of maintenance, encoded; empty if there is none, None if it knows of none.

    """

    servers: Mapping[str, Server]
    config: str
    said: str = ""
    maintenance: str | None = None


def fingerprint(config: str) -> str:
    """Return the value of `Observed.config` for that configuration file."""
    return hashlib.sha256(config.encode()).hexdigest()


class Proxy:
    """One proxy container."""

    def __init__(self, api: APIClient, container: str) -> None:
        """Control the container of that name or id."""
        self._api = api
        self._container = container

    def observe(self) -> Observed:
        """Return the state of the proxy."""
        return self._run({})

    def command(
        self,
        expected: Mapping[str, Server],
        commands: Sequence[str],
        config: str,
        last: Sequence[str] = (),
    ) -> Observed:
        """Write the configuration file and run the commands, if the proxy's servers are as expected.

        If they are not, do nothing. Either way, return the state of the proxy. The `last` commands have a
        call of their own, as HAProxy bounds how long one may be.
        """
        facts = sorted(
            f"{one.release} {one.address} {one.weight} {int(one.ready)}" for one in expected.values()
        )
        return self._run(
            {
                "EXPECTED": "\n".join(facts),
                "COMMANDS": ";".join(commands),
                "LAST": ";".join(last),
                "CONFIG": config,
            }
        )

    def _run(self, variables: Mapping[str, str]) -> Observed:
        environment = {
            "SOCKET": haproxy.SOCKET,
            "FILE": haproxy.CONFIG_FILE,
            "POOL": haproxy.POOL,
            "SHOW": haproxy.SHOW_SERVERS,
            "EXPECTED": "",
            "COMMANDS": "",
            "LAST": "",
            "MAINTENANCE": maintenance.ASK,
            "CONFIG": "",
            **variables,
        }
        with docker_errors(f"proxy {self._container}"):
            output = script.run(self._api, self._container, _SCRIPT, environment)
        said, _, rest = output.partition("== maintenance\n")
        told, _, rest = rest.partition("== servers\n")
        servers, _, config = rest.partition("== config\n")
        return Observed(
            haproxy.parse_servers(servers.splitlines()),
            config.strip(),
            said.strip(),
            maintenance.shown(told),
        )


@contextmanager
def docker_errors(where: str) -> Iterator[None]:
    """Turn the errors of the Docker SDK into errors for people.

    Raises:
        LookupError: the container does not exist.
        SetupError: the Docker engine cannot be reached.
        EngineFailed: the Docker engine refused.

    """
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.NotFound as error:
        raise LookupError(where) from error
    except docker.errors.APIError as error:
        if error.status_code == 409:
            raise EngineFailed(
                "the container is not running", where=where, fix="docker start it, or pulumi up --refresh"
            ) from error
        raise EngineFailed(
            "the Docker engine refused", where=where, fix="see docker ps -a", detail=str(error.explanation)
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise SetupError(
            "cannot reach the Docker engine",
            where=where,
            fix="check docker version, and DOCKER_HOST",
            detail=str(error),
        ) from error


_ENGINE: ContextVar[Mapping[str, str]] = ContextVar("engine", default=MappingProxyType({}))
"""The variables with which the Docker engine that an operation is about is reached."""


@contextmanager
def at_engine(variables: Mapping[str, str]) -> Iterator[None]:
    """Have `connect` reach an engine by these variables in the block, unless it is told of another."""
    token = _ENGINE.set(variables)
    try:
        yield
    finally:
        _ENGINE.reset(token)


@contextmanager
def connect(docker_host: str | None) -> Iterator[APIClient]:
    """Provide a client of the engine at `docker_host`, else of the operation's, else of the environment's."""
    import docker

    from curtainup.platforms.docker import kept_connections

    environment = {**os.environ, **_ENGINE.get()}
    if docker_host:
        environment["DOCKER_HOST"] = docker_host
    address = environment.get("DOCKER_HOST", "")
    with docker_errors(f"Docker engine at {address or 'the default socket'}"):
        if address.startswith("unix://"):
            client = kept_connections.client(docker.DockerClient, address)
        else:
            client = docker.from_env(environment=environment, use_ssh_client=True)
    try:
        yield client.api
    finally:
        client.close()


def container_facts(api: APIClient, container: str) -> dict[str, Any] | None:
    """Return the engine's description of a container, or None if the container does not exist."""
    try:
        with docker_errors(f"container {container}"):
            facts: dict[str, Any] = api.inspect_container(container)
    except LookupError:
        return None
    return facts


def runs(facts: Mapping[str, Any]) -> bool:
    """Return whether a container, as the engine describes it, runs and is not being started again."""
    return bool(facts["State"]["Running"] and not facts["State"].get("Restarting"))


def limit_pids(api: APIClient, container: str, limit: int) -> None:
    """Limit how many processes and threads a container may hold, now and after restarts.

    This calls `POST /containers/{id}/update` with `PidsLimit`; neither pulumi_docker nor the SDK offers it.
    """
    with docker_errors(f"container {container}"):
        answer = api.post(
            f"{api.base_url}/v{api.api_version}/containers/{container}/update", json={"PidsLimit": limit}
        )
        if answer.status_code == 404:
            raise LookupError(f"container {container}")
        if not answer.ok:
            raise EngineFailed(
                f"the Docker engine refused a limit of {limit} processes",
                where=f"container {container}",
                fix="choose another pids_limit",
                detail=answer.text.strip(),
            )
