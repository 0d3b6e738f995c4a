"""How a release runs and how it is judged, on every target."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from curtainup.config import targets
from curtainup.config.keys import (
    Host,
    KeyDoc,
    Memory,
    Percents,
    Port,
    Seconds,
    Text,
    Variable,
    Variables,
    VariableValue,
    key,
    seconds,
)

HealthPath = Annotated[str, StringConstraints(pattern=r"^/[!-\"$-~]*\z", max_length=2048)]


def _target(value: str) -> str:
    if value not in targets.names():
        raise ValueError("no such target")
    return value


DeployTarget = Annotated[
    str, AfterValidator(_target), WithJsonSchema({"type": "string", "enum": list(targets.names())})
]


class Settings(BaseModel):
    """Base of all configuration models: frozen, strict about types, closed to unknown keys."""

    # Pydantic builds a model when it is first used: no command needs all of them.
    model_config = ConfigDict(
        defer_build=True, frozen=True, strict=True, extra="forbid", hide_input_in_errors=True
    )


class RuntimeSettings(Settings):
    """What a release runs with, and how long it may take."""

    deploy_target: DeployTarget = key(
        "docker",
        "Where the environment runs.",
        KeyDoc(
            expects=f"one of {', '.join(targets.names())}",
            wrong="curtainup would not know where to deploy",
            example="docker",
        ),
    )
    env: dict[Variable, VariableValue] = key(
        {},
        "Plain variables for the container. A section adds its variables to those at the top level.",
        KeyDoc(
            expects="a mapping of variable names to quoted text",
            item="text",
            wrong="the container would get a different text from the one written here",
            example='{LOG_LEVEL: "debug"}',
            private=True,
        ),
    )
    env_secrets: Variables = key(
        (),
        "Names of environment variables that the container gets as secrets. Set them where you run "
        "curtainup. A section's list replaces the one at the top level.",
        KeyDoc(
            expects="a list of variable names without duplicates",
            item="the name of a variable",
            wrong="the service would start without its secret",
            example="[DB_PASSWORD]",
            private=True,
        ),
    )
    container_port: Port = key(
        8080,
        "The port on which the service listens in its container. The service gets it as `PORT`.",
        KeyDoc(
            expects="a port number from 1 to 65535",
            wrong="no request would reach the service",
            example="8080",
        ),
    )
    health_path: HealthPath = key(
        "/ping",
        "The path that answers with status 200 as soon as the service can serve requests.",
        KeyDoc(
            expects="a path that starts with / and has no spaces or #",
            wrong="no release would ever count as healthy",
            example="/ping",
        ),
    )
    health_host: Host | None = key(
        None,
        "The host that curtainup sends in the header `Host`: in the health check, the probe and the gates. "
        "Some services answer only to hosts that they know.",
        KeyDoc(
            expects="a host name without scheme or path",
            wrong="the service would refuse the requests that judge it",
            example="hello.example.com",
            targets=("docker", "aws-beanstalk", "kubernetes", "gke"),
            shown="the host of `live_url` or `live_host`, else that of the URL",
        ),
    )
    health_timeout: Seconds = key(
        5,
        "How many seconds one answer on `health_path` may take, for the health check, the probe and the "
        "smoke suite.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a slow release would count as broken, or a hanging one as slow",
            example="5",
        ),
    )
    memory_limit: Memory = key(
        512,
        "The maximum memory of a container. The kernel kills a container that uses more. "
        "Units are powers of 1024.",
        KeyDoc(
            expects="a memory size from 16m to 1024G",
            wrong="the container would have no limit, or too little memory to start",
            example="512m",
            targets=("docker", "aws-beanstalk", "kubernetes", "gke"),
            shown="512m",
        ),
        ge=16,
        le=1024 * 1024,
    )
    cpus: Annotated[float, Field(gt=0, le=1024, allow_inf_nan=False)] | None = key(
        None,
        "The maximum number of processors for a container.",
        KeyDoc(
            expects="a number above 0 and up to 1024",
            wrong="the container would get more or fewer processors than you meant",
            example="1.5",
            targets=("docker", "gcp-cloud-run", "kubernetes", "gke"),
            shown="no limit; 1 on gcp-cloud-run",
        ),
    )
    start_timeout: Seconds = key(
        60,
        "How many seconds a new release may take to answer on `health_path`.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="curtainup would give up on a release that starts, or wait for one that never does",
            example="60",
        ),
    )
    stop_timeout: Seconds = key(
        30,
        "How many seconds a container gets between SIGTERM and SIGKILL.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a release could lose requests while it stops",
            example="30",
            targets=("docker", "kubernetes", "gke"),
        ),
    )
    drain_timeout: Seconds = key(
        30,
        "How many seconds the outgoing release gets to finish its requests after traffic has moved.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="requests in flight could be cut off",
            example="30",
            targets=("docker", "kubernetes", "gke"),
        ),
    )
    request_timeout: Seconds = key(
        60,
        "How many seconds one request may take before the proxy or the target gives up on it.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="slow requests would be cut off, or stuck ones would never end",
            example="60",
            targets=("docker", "gcp-cloud-run", "kubernetes", "gke"),
        ),
    )
    ready_timeout: Seconds | None = key(
        None,
        "How many seconds the cloud, or the cluster, may take to apply a change before the change counts as "
        "failed.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="curtainup would give up on a change that succeeds, or wait for one that never does",
            example="600",
            targets=("gcp-cloud-run", "aws-beanstalk", "kubernetes", "gke"),
            shown="300 on kubernetes, 600 on gcp-cloud-run, 900 on gke, 1200 on aws-beanstalk",
        ),
    )
    gate_timeout: Annotated[int, Field(ge=1, le=86400)] = key(
        300,
        "How many seconds the acceptance tests may take at one gate.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 86400",
            wrong="a gate would be cut off too early, or a stuck one would never end",
            example="300",
        ),
    )
    canary: Percents = key(
        (),
        "The shares of traffic, in percent, that the new release gets step by step before it gets all of it.",
        KeyDoc(
            expects="a strictly rising list of whole numbers from 1 to 99",
            item="a whole number from 1 to 99",
            wrong="traffic would not move step by step",
            example="[10, 50]",
            targets=("docker", "gcp-cloud-run", "kubernetes", "gke"),
            shown="[]: all at once",
        ),
    )
    canary_every: Annotated[
        int, BeforeValidator(seconds, json_schema_input_type=str | int), Field(ge=0, le=86400)
    ] = key(
        0,
        "How long each step of `canary` lasts.",
        KeyDoc(
            expects="a duration up to 24h, such as 90s, 5m or 1h30m",
            wrong="traffic would move on before a problem could show",
            example="5m",
            targets=("docker", "gcp-cloud-run", "kubernetes", "gke"),
            shown="0s: each step lasts for a few requests",
        ),
    )
    canary_watch: Text | None = key(
        None,
        "A URL or a command that curtainup checks every 5 seconds during the steps of `canary`. The URL must "
        "answer with a status below 400, the command must end with exit code 0; otherwise traffic goes back.",
        KeyDoc(
            expects="an http:// or https:// address, or a command for /bin/sh",
            wrong="nobody would notice what the probe cannot see",
            example="./check-error-rate.sh",
            targets=("docker", "gcp-cloud-run", "kubernetes", "gke"),
            shown="only the probe watches",
            private=True,
        ),
    )
    max_failures: Annotated[int, Field(ge=0, le=1_000_000)] = key(
        0,
        "How many failed requests the probe tolerates while traffic moves. With one more, traffic goes back.",
        KeyDoc(
            expects="a whole number from 0 to 1000000",
            wrong="a bad release could keep the traffic, or a good one lose it",
            example="0",
        ),
    )
    keep: Annotated[int, Field(ge=0, le=50)] | None = key(
        None,
        "How many older releases to keep beside the one that serves, for an instant rollback.",
        KeyDoc(
            expects="a whole number from 0 to 50",
            wrong="a rollback might find nothing to go back to",
            example="1",
            shown="docker 1, kubernetes 1, gcp-cloud-run 5, gke 1, aws-beanstalk 0",
        ),
    )
