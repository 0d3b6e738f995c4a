"""What stands in for an account of Google Cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home

KEY = "rehearsal"
"""What every token of the stand-in is."""


@dataclass(frozen=True)
class StandinGoogle:
    """What stands in for a Google Cloud account.

    Attributes:
        home: the rehearsal's.
        faults: what is to go wrong.

    """

    home: Home
    faults: Faults = field(default_factory=Faults)

    def identity_token(self, audience: str) -> str:  # noqa: ARG002
        """Return the token that the stand-in of Cloud Run takes."""
        return KEY

    def access_token(self) -> str:
        """Return a token that is good for nothing."""
        return KEY

    def registry_host(self, region: str) -> str:  # noqa: ARG002
        """Return the address of the rehearsal's own registry."""
        from curtainup.rehearsal import registry

        return registry.address(self.home)

    def kubeconfig(self, cluster: str, context: str) -> dict[str, Any] | None:
        """Return the way to the rehearsal's real cluster, under the name of a rehearsed one."""
        from curtainup.rehearsal.gcp.gke import cluster as clusters

        return clusters.kubeconfig(self.home, cluster, context)

    def is_certified(self, certificate: str) -> bool:  # noqa: ARG002
        """Return that no certificate is ever issued: DNS leads to no stand-in."""
        return False

    @property
    def grant_seconds(self) -> float:
        """A little more than the stand-in takes to enforce a grant."""
        from curtainup.rehearsal.gcp.common import GRANT_MINUTES

        return self.faults.clock.seconds(GRANT_MINUTES) + 0.5

    @cached_property
    def run_api(self) -> str:
        """The address of the stand-in of Cloud Run's API, which is served until the process ends."""
        from curtainup.rehearsal.gcp.cloud_run import endpoint as cloud_run_endpoint

        return cloud_run_endpoint.serve(self.home, self.faults)

    @cached_property
    def scheduler_api(self) -> str:
        """The address of the stand-in of Cloud Scheduler's API, which is served until the process ends."""
        from curtainup.rehearsal.gcp.scheduler import endpoint

        return endpoint.serve(self.home)

    @cached_property
    def logging_api(self) -> str:
        """The address of the stand-in of Cloud Logging, which is served until the process ends."""
        from curtainup.rehearsal.gcp import cloud_logging

        return cloud_logging.serve(self.home, self.faults)
