"""The container of a stand-in revision: its variables, its start, and the message when it fails."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from curtainup.errors import CurtainupError
from curtainup.rehearsal import containers
from curtainup.rehearsal.gcp import cloud_run_rules
from curtainup.rehearsal.kind import Cloud

if TYPE_CHECKING:
    from docker import APIClient

POLL = 0.03
SLOW_START = 5.0
DEFAULT_PORT = 8080
DEFAULT_MEMORY = "512Mi"
_CRASH = ("sh", "-c", "echo 'rehearsal: this release was asked to crash' >&2; exit 1")


@dataclass(frozen=True)
class Probe:
    """How to find out whether a container has started, and how long that may take.

    Attributes:
        path: the path of the HTTP request; None only opens a connection.
        port: the container's port.
        delay: seconds before the first attempt.
        patience: seconds of attempts after that.
        timeout: seconds that one answer may take.

    """

    path: str | None
    port: int
    delay: float
    patience: float
    timeout: float


def port_of(container: Mapping[str, Any]) -> int:
    """Return the port that requests go to."""
    return int((container.get("ports") or {}).get("containerPort") or DEFAULT_PORT)


def probe_of(container: Mapping[str, Any]) -> Probe:
    """Return the startup probe; the default is a connection within 240 seconds."""
    given = container.get("startupProbe")
    if not given:
        return Probe(None, port_of(container), 0, 240, 240)
    asked = given.get("httpGet") or {}
    port = asked.get("port") or (given.get("tcpSocket") or given.get("grpc") or {}).get("port")
    return Probe(
        path=(asked.get("path") or "/") if given.get("httpGet") is not None else None,
        port=int(port or port_of(container)),
        delay=given.get("initialDelaySeconds") or 0,
        patience=(given.get("periodSeconds") or 10) * (given.get("failureThreshold") or 3),
        timeout=given.get("timeoutSeconds") or 1,
    )


class Revision:
    """One revision's container."""

    def __init__(self, cloud: Cloud, api: APIClient, service: str, revision: str, container: str) -> None:
        """Name the revision and its container."""
        self._cloud = cloud
        self._api = api
        self._service = service
        self._revision = revision
        self._container = container

    def start(self, template: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
        """Start the container; return None once it passes its startup probe, or why it does not."""
        spec = template["containers"][0]
        probe = probe_of(spec)
        started = monotonic()
        if self._cloud.faults.strikes("slow-start", self._revision):
            self._cloud.cancelled.wait(SLOW_START)
        try:
            containers.start(self._api, self._cloud.home, self._wanted(spec, variables))
        except CurtainupError as error:
            return self._failure(spec, error.detail or error.what)
        if self._answers(probe, started + probe.delay + probe.patience):
            return None
        said = containers.log(self._api, self._container)
        containers.remove(self._api, self._container)
        return self._failure(spec, said)

    def address(self, template: Mapping[str, Any], variables: Mapping[str, str]) -> str:
        """Return the container's address; start the container again if it is gone or does not run."""
        seen = containers.look(self._api, self._container)
        if seen is None or not seen.running:
            self.start(template, variables)
            seen = containers.look(self._api, self._container)
        return f"{seen.ip if seen else '127.0.0.1'}:{port_of(template['containers'][0])}"

    def _wanted(self, spec: Mapping[str, Any], variables: Mapping[str, str]) -> containers.Container:
        own = {
            "PORT": str(port_of(spec)),
            "K_SERVICE": self._service,
            "K_REVISION": self._revision,
            "K_CONFIGURATION": self._service,
        }
        limits = (spec.get("resources") or {}).get("limits") or {}
        crashes = self._cloud.faults.strikes("crash", self._revision)
        return containers.Container(
            name=self._container,
            image=spec["image"],
            environment={**variables, **own},
            command=spec.get("args"),
            entrypoint=_CRASH if crashes else spec.get("commands"),
            memory=cloud_run_rules.memory(limits.get("memory", DEFAULT_MEMORY)),
        )

    def _answers(self, probe: Probe, deadline: float) -> bool:
        while monotonic() < deadline:
            seen = containers.look(self._api, self._container)
            if seen is None or not seen.running:
                return False
            if _asked(seen.ip, probe):
                return True
            if self._cloud.cancelled.wait(POLL):
                return False
        return False

    def _failure(self, spec: Mapping[str, Any], said: str) -> str:
        return (
            f"Revision '{self._revision}' is not ready and cannot serve traffic. The user-provided container "
            "failed to start and listen on the port defined provided by the "
            f"PORT={port_of(spec)} environment variable within the allocated timeout. This can happen when "
            "the container port is misconfigured or if the timeout is too short. The health check timeout "
            "can be extended. Logs for this revision might contain more information.\n\n"
            f"Logs of the revision, last lines:\n{said or '(none)'}"
        )


def _asked(ip: str, probe: Probe) -> bool:
    """Probe a container once."""
    try:
        if probe.path is None:
            socket.create_connection((ip, probe.port), probe.timeout).close()
            return True
        connection = http.client.HTTPConnection(ip, probe.port, timeout=probe.timeout)
        try:
            connection.request("GET", probe.path, headers={"User-Agent": "Google-Cloud-Run-HealthCheck"})
            return 200 <= connection.getresponse().status < 400
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
