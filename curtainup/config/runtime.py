"""How a release runs and how it is judged, on every target."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from curtainup.config.keys import (
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
)
from curtainup.util import durations

DeployTarget = Literal["docker", "gcp-cloud-run", "aws-beanstalk", "gke"]
HealthPath = Annotated[str, StringConstraints(pattern=r"^/[!-\"$-~]*\z", max_length=2048)]


def _seconds(value: object) -> object:
    return durations.parse(value) if isinstance(value, str) else value


class Settings(BaseModel):
    """Base of all configuration models: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class RuntimeSettings(Settings):
    """What a release is given, and how long it may take."""

    deploy_target: DeployTarget = key(
        "docker",
        "Where the environment runs.",
        KeyDoc(
            expects="one of docker, gcp-cloud-run, aws-beanstalk, gke",
            wrong="there is nowhere to deploy to",
            example="docker",
        ),
    )
    env: dict[Variable, VariableValue] = key(
        {},
        "Plain variables for the container. A section's variables are added to those of the top level.",
        KeyDoc(
            expects="a mapping of variable names to quoted texts",
            item="a text",
            wrong="the container would get another text than the one written here",
            example='{LOG_LEVEL: "debug"}',
            private=True,
        ),
    )
    env_secrets: Variables = key(
        (),
        "Names of variables taken from the deployer's environment and given to the container as secrets. "
        "A section's list replaces that of the top level.",
        KeyDoc(
            expects="a list of different variable names",
            item="the name of a variable",
            wrong="the service would start without its secret",
            example="[DB_PASSWORD]",
            private=True,
        ),
    )
    container_port: Port = key(
        8080,
        "The port the service listens on in its container, handed to it as `PORT`.",
        KeyDoc(
            expects="a port, a whole number from 1 to 65535",
            wrong="no request would reach the service",
            example="8080",
        ),
    )
    health_path: HealthPath = key(
        "/ping",
        "The path that answers with status 200 as soon as the service can serve.",
        KeyDoc(
            expects="a path that starts with / and has no spaces or #",
            wrong="a release could never be seen healthy",
            example="/ping",
        ),
    )
    memory_limit: Memory = key(
        512,
        "Most memory a container may use; beyond it the kernel ends it. Units are powers of 1024.",
        KeyDoc(
            expects="a memory size from 16m to 1024G",
            wrong="the container would have no limit, or one it cannot start in",
            example="512m",
            targets=("docker", "aws-beanstalk", "gke"),
            shown="512m",
        ),
        ge=16,
        le=1024 * 1024,
    )
    cpus: Annotated[float, Field(gt=0, le=1024, allow_inf_nan=False)] | None = key(
        None,
        "Most processors a container may use.",
        KeyDoc(
            expects="a number above 0 and up to 1024",
            wrong="the container would get another share of the processors than meant",
            example="1.5",
            targets=("docker", "gcp-cloud-run", "gke"),
            shown="no limit, on gcp-cloud-run 1",
        ),
    )
    start_timeout: Seconds = key(
        60,
        "Seconds a new release may take until it answers on `health_path`.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a release that starts would be given up, or one that never does waited for",
            example="60",
        ),
    )
    stop_timeout: Seconds = key(
        30,
        "Seconds a container has between SIGTERM and SIGKILL.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a stopping release could lose requests it is still serving",
            example="30",
            targets=("docker", "gke"),
        ),
    )
    drain_timeout: Seconds = key(
        30,
        "Seconds the outgoing release has to finish the requests it has, once traffic has moved.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="requests in flight could be cut off",
            example="30",
            targets=("docker", "gke"),
        ),
    )
    request_timeout: Seconds = key(
        60,
        "Seconds a single request may take before the proxy or the target gives it up.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="slow requests would be cut off, or stuck ones never",
            example="60",
            targets=("docker", "gcp-cloud-run", "gke"),
        ),
    )
    ready_timeout: Seconds = key(
        600,
        "Seconds the cloud may take to make a change real before it counts as failed.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a change that comes true would be given up, or one that never does waited for",
            example="600",
            targets=("gcp-cloud-run", "aws-beanstalk"),
        ),
    )
    gate_timeout: Annotated[int, Field(ge=1, le=86400)] = key(
        300,
        "Seconds the acceptance tests may take at one gate.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 86400",
            wrong="a gate would be broken off too early, or a stuck one never",
            example="300",
        ),
    )
    canary: Percents = key(
        (),
        "Percents of traffic the new release gets, one after another, before it gets all.",
        KeyDoc(
            expects="a strictly rising list of whole numbers from 1 to 99",
            item="a whole number from 1 to 99",
            wrong="traffic would not move step by step",
            example="[10, 50]",
            targets=("docker", "gcp-cloud-run", "gke"),
            shown="[], all at once",
        ),
    )
    canary_every: Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=86400)] = key(
        0,
        "How long the new release keeps each share of `canary` before it gets the next.",
        KeyDoc(
            expects="a duration up to 24h, such as 90s, 5m or 1h30m",
            wrong="traffic would move on before the new release could show what it does",
            example="5m",
            targets=("docker", "gcp-cloud-run", "gke"),
            shown="0s, only for as long as a few requests take",
        ),
    )
    canary_watch: Text | None = key(
        None,
        "A URL that must answer with a status below 400, or a command that must end with exit code 0, "
        "every 5 seconds while `canary` goes on. When it does not, traffic goes back.",
        KeyDoc(
            expects="an http:// or https:// address, or a command for /bin/sh",
            wrong="nobody would notice what the probe cannot see",
            example="./check-error-rate.sh",
            targets=("docker", "gcp-cloud-run", "gke"),
            shown="nothing besides the probe",
            private=True,
        ),
    )
    max_failures: Annotated[int, Field(ge=0, le=1_000_000)] = key(
        0,
        "Failed requests the probe tolerates while traffic moves. One more, and traffic goes back.",
        KeyDoc(
            expects="a whole number from 0 to 1000000",
            wrong="a bad release could keep the traffic, or a good one lose it",
            example="0",
        ),
    )
    keep: Annotated[int, Field(ge=0, le=50)] | None = key(
        None,
        "Older releases kept beside the one that serves, for instant rollback.",
        KeyDoc(
            expects="a whole number from 0 to 50",
            wrong="a rollback might find nothing to go back to",
            example="1",
            shown="docker 1, gcp-cloud-run 5, gke 1, aws-beanstalk 0",
        ),
    )
