"""Google Cloud Run as a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.setup import extras
from curtainup.targets.cloud_run.registry import ARTIFACT_REGISTRY
from curtainup.targets.spec import Look, Resources, Switch, TargetSpec

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig, ServiceConfig
    from curtainup.model.checks import Piece
    from curtainup.model.environment import Environment
    from curtainup.session import Session
    from curtainup.targets.log_lines import Source
    from curtainup.targets.target import Target

PUBLIC_ACCESS = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
"""The type of what lets everybody call a service."""


def _bind(session: Session, name: str, look: Look) -> Target:
    from curtainup.targets.cloud_run.target import CloudRunTarget

    return CloudRunTarget(session, name, look)


def _logs(session: Session, environment: Environment, _look: Look) -> Source:
    from curtainup.targets.cloud_run.logs import CloudRunLogs

    return CloudRunLogs(session, environment)


def _checks(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    from curtainup.targets import plugin_check
    from curtainup.targets.cloud_run import checks

    found = checks.pieces(str(service.docker_repo), environments)
    return [*found, plugin_check.piece("gcp", needs=checks.SDK)]


def _shares(outputs: Mapping[str, Any], resources: Resources) -> dict[str, int] | None:
    """Return what each tag gets; nothing has traffic that the public may not call."""
    if not any(one.get("type") == PUBLIC_ACCESS for one in resources):
        return None
    shares: dict[str, int] = {}
    for one in outputs.get("trafficStatuses") or ():
        if one.get("tag"):
            shares[one["tag"]] = shares.get(one["tag"], 0) + int(one.get("percent") or 0)
    return shares


SPEC = TargetSpec(
    name="gcp-cloud-run",
    environment=CloudRunEnvironment,
    settings=CloudRunSettings,
    bind=_bind,
    logs=_logs,
    switch=Switch("gcp:cloudrunv2/service:Service", _shares),
    registry=ARTIFACT_REGISTRY,
    checks=_checks,
    extra=extras.GCP,
    standin="gcp",
    keep=5,
    reuses_ids=False,
)
