"""Settings of the `docker` target."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from curtainup.config.keys import (
    DOCKER_CAPABILITIES,
    Address,
    Capabilities,
    FileInside,
    KeyDoc,
    Names,
    Port,
    Variable,
    key,
)
from curtainup.config.runtime import Settings
from curtainup.util import ssh_address

SshHost = Annotated[str, AfterValidator(ssh_address.normal)]

HEADER_LIMIT = 32
"""KiB of headers that the proxy of a new environment takes."""


class DockerKeys(Settings):
    """Where an environment listens on a Docker host, and what holds its containers in bounds."""

    docker_host: SshHost | None = key(
        None,
        "The machine with the Docker engine, if that is another one: curtainup works there [over "
        "SSH](server.md).",
        KeyDoc(
            expects="ssh://USER@HOST:PORT, where USER and PORT may be left out",
            wrong="curtainup would not reach the Docker engine",
            example="ssh://deploy@shop.example.com",
            shown="the engine that the docker command uses: DOCKER_HOST, the docker context, or this machine",
        ),
    )
    port: Port | None = key(
        None,
        "The host's port on which the environment answers. Each environment needs its own.",
        KeyDoc(
            expects="a port number from 1 to 65535",
            wrong="nobody could reach the environment",
            example="8443",
            targets=("docker",),
            shown="the first deployment chooses one, and the environment keeps it",
        ),
    )
    bind: Address = key(
        "127.0.0.1",
        "The host's address on which the environment answers. `0.0.0.0` stands for all of its addresses.",
        KeyDoc(
            expects="an IP address (for localhost: 127.0.0.1)",
            wrong="nobody could reach the environment",
            example="127.0.0.1",
            targets=("docker",),
        ),
    )
    https: bool = key(
        False,
        "Whether the environment is reached over HTTPS: live as `live_host`, staging as "
        "`staging_host`. Environments without a host of their own stay as they are.",
        KeyDoc(
            expects="true or false",
            wrong="browsers could not reach the service over HTTPS",
            example="true",
            targets=("docker",),
        ),
    )
    certificate: Variable | None = key(
        None,
        "The variable of the deployer that holds a certificate of your own, with its chain. curtainup then "
        "asks nobody for one.",
        KeyDoc(
            expects="the name of an environment variable",
            wrong="browsers would not accept the environment",
            example="TLS_CERTIFICATE",
            targets=("docker",),
            shown="the door gets one by ACME",
        ),
    )
    certificate_key: Variable | None = key(
        None,
        "The variable of the deployer that holds the private key of `certificate`.",
        KeyDoc(
            expects="the name of an environment variable",
            wrong="browsers would not accept the environment",
            example="TLS_KEY",
            targets=("docker",),
        ),
    )
    header_limit: Annotated[int, Field(ge=8, le=1024)] | None = key(
        None,
        "How many KiB the headers of a request, or of an answer, may take together. The proxy refuses more.",
        KeyDoc(
            expects="a whole number of KiB from 8 to 1024",
            wrong="the proxy would refuse large cookies and tokens, or take more memory than you meant",
            example="64",
            targets=("docker",),
            shown=f"{HEADER_LIMIT} for a new environment, which keeps it",
        ),
    )
    sticky: bool = key(
        False,
        "Whether a visitor stays with one release while a canary gets a part of the traffic. The proxy gives "
        "each visitor a cookie for that.",
        KeyDoc(
            expects="true or false",
            wrong="a page could ask one release for files that only the other has",
            example="true",
            targets=("docker",),
        ),
    )
    maintenance_page: FileInside | None = key(
        None,
        "The page that users get while [maintenance](../commands/maintenance.md) is on: a file of HTML.",
        KeyDoc(
            expects="the path of a file in the service's folder",
            wrong="users would get no page",
            example="ops/maintenance.html",
            targets=("docker",),
            shown="a page of curtainup's",
        ),
    )
    pids_limit: Annotated[int, Field(ge=16, le=4_194_304)] = key(
        512,
        "The maximum number of processes and threads in a container.",
        KeyDoc(
            expects="a whole number from 16 to 4194304",
            wrong="the service could not start its workers, or could start them without limit",
            example="512",
            targets=("docker",),
        ),
    )
    capabilities: Capabilities = key(
        (),
        "What root may do in the service's containers besides what every user may. "
        "Containers get no capability otherwise.",
        KeyDoc(
            expects="a list of capabilities without duplicates, such as [SETGID, SETUID]",
            item=f"one of {', '.join(DOCKER_CAPABILITIES)}",
            wrong="the container could not be created",
            example="[SETGID, SETUID]",
            targets=("docker",),
        ),
    )
    include_links: Names = key(
        (),
        "Containers to link to the service's. Not supported: curtainup warns about it and ignores it.",
        KeyDoc(
            expects="a list of container names without duplicates",
            item="the name of a container",
            wrong="curtainup ignores it in any case",
            example="[redis]",
            targets=(),
        ),
    )
