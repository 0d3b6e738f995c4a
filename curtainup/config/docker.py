"""Settings of the `docker` target."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curtainup.config.keys import Address, KeyDoc, Names, Port, key
from curtainup.config.runtime import Settings


class DockerSettings(Settings):
    """Where an environment listens on a Docker host, and what holds its containers in bounds."""

    port: Port | None = key(
        None,
        "The port of the host on which the environment answers. Each environment needs its own.",
        KeyDoc(
            expects="a port, a whole number from 1 to 65535",
            wrong="the environment could not be reached",
            example="8443",
            targets=("docker",),
            shown="chosen at the first deployment, and kept",
        ),
    )
    bind: Address = key(
        "127.0.0.1",
        "The address of the host on which the environment answers; `0.0.0.0` is every address it has.",
        KeyDoc(
            expects="an IP address (for localhost: 127.0.0.1)",
            wrong="the environment could not be reached",
            example="127.0.0.1",
            targets=("docker",),
        ),
    )
    pids_limit: Annotated[int, Field(ge=16, le=4_194_304)] = key(
        512,
        "Most processes and threads in a container.",
        KeyDoc(
            expects="a whole number from 16 to 4194304",
            wrong="the service could not start its workers, or start them without end",
            example="512",
            targets=("docker",),
        ),
    )
    include_links: Names = key(
        (),
        "Containers linked to the service's. Not supported: accepted with a warning, and ignored.",
        KeyDoc(
            expects="a list of different container names",
            item="the name of a container",
            wrong="it is ignored in any case",
            example="[redis]",
            targets=(),
        ),
    )
