"""A client of a Docker engine on another machine, behind a socket of this one."""

from __future__ import annotations

from collections.abc import Mapping

import docker
from docker.errors import DockerException
from requests import RequestException

from curtainup.errors import HostUnreachable
from curtainup.platforms.docker import kept_connections
from curtainup.platforms.docker.hosts import There
from curtainup.platforms.docker.supported import unsupported
from curtainup.platforms.ssh.failures import NOTHING_DONE

_DIAGNOSIS = """\
socket=$1
if [ ! -e "$socket" ]; then
    for name in docker dockerd podman; do
        PATH=$PATH:/usr/sbin command -v $name >/dev/null && { echo stopped; exit; }
    done
    echo missing
elif [ ! -w "$socket" ]; then echo "refused $(id -un)"
else echo stopped; fi
"""


class DistantClient(docker.DockerClient):
    """A client whose engine is on another machine, although its socket is on this one.

    Attributes:
        there: that machine.

    """

    there: There


def connect(there: There, environ: Mapping[str, str]) -> DistantClient:
    """Return a client of the engine on a machine, once it has answered.

    Raises:
        HostUnreachable: there is no connection, or no engine that curtainup may and can use.

    """
    variables = dict(environ)
    there.enter(variables)
    try:
        found = unsupported(kept_connections.version(variables["DOCKER_HOST"]))
        client = kept_connections.client(DistantClient, variables["DOCKER_HOST"])
    except (DockerException, RequestException) as error:
        raise _silent(there, str(error)) from error
    client.there = there
    if found is not None:
        raise HostUnreachable(
            f"the Docker engine there {found.what}",
            where=str(there),
            consequence=NOTHING_DONE,
            fix=f"on the host: {found.fix}",
        )
    return client


def _silent(there: There, detail: str) -> HostUnreachable:
    """Return the error for an engine that does not answer, by what the host itself says of it."""
    socket = there.address.socket
    found, _, user = there.connection.shell(f"set -- '{socket}'\n{_DIAGNOSIS}").strip().partition(" ")
    why = {
        "missing": "Docker is not installed on the host",
        "refused": f"the Docker engine there does not let {user} in",
    }
    fixes = {
        "missing": f"curtainup setup-host {there.address} installs it, if your user there may use sudo",
        "refused": f"on the host: sudo usermod --append --groups docker {user}; a new login has that group",
        "stopped": "on the host: sudo systemctl enable --now docker; see journalctl --unit docker",
    }
    otherwise = (
        f"check on the host that docker version works, that it listens on {socket}, and that sshd_config "
        "allows AllowStreamLocalForwarding"
    )
    return HostUnreachable(
        why.get(found, "the Docker engine there does not answer"),
        where=f"{there}, {socket}",
        consequence=NOTHING_DONE,
        fix=fixes.get(found, otherwise),
        detail=detail,
    )


def is_here(client: docker.DockerClient) -> bool:
    """Return whether an engine is known to be this machine's."""
    is_local = str(client.api.base_url).startswith("http+docker://localhost")
    return is_local and not isinstance(client, DistantClient)
