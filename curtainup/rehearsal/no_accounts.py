"""A service's configuration for a rehearsal, which needs no account, no profile and no real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from curtainup.config import ServiceConfig
from curtainup.config.kubernetes import NO_GATEWAY
from curtainup.targets import configured

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

_REAL: Final[dict[str, Any]] = {"aws_user": None, "canary_metrics": ()}
"""Settings that lead to something real, and what they are in a rehearsal."""
ACCOUNT: Final = "rehearsal"
"""The account in the rehearsal's registry, to which images for a cluster go."""


def without_accounts(config: ServiceConfig) -> ServiceConfig:
    """Return a configuration without what leads to an account: profiles, and registries that have a host.

    A server that has the metrics of real releases knows nothing of rehearsed ones, so no rehearsal asks it.

    Where the target takes `docker_repo` for the cloud's project, its last part stays: it names nothing real.
    """
    takes_project = configured(config.for_environment("live")).registry.is_account
    project = (config.docker_repo or "").rpartition("/")[2] or None
    sections = {
        name: section.model_copy(
            update={name: value for name, value in _REAL.items() if name in section.model_fields_set}
        )
        for name, section in config.environments.items()
    }
    return config.model_copy(
        update={
            **_REAL,
            "docker_repo": project if takes_project else None,
            "environments": sections,
        }
    )


def on_cluster(config: ServiceConfig, cluster: Cluster, registry: str | None) -> ServiceConfig:
    """Return a configuration that leads to a rehearsal's cluster, and to no Gateway that others share.

    Args:
        config: of the service.
        cluster: the rehearsal's.
        registry: the address of its registry; None where the target has one of the cloud's.

    """
    placed: dict[str, Any] = {
        "kube_context": cluster.context,
        "gateway": None,
        "cert_issuer": None,
        "image_pull_secret": None,
        "gke_cluster": None,
        "gke_location": None,
        "gke_certificate_map": None,
    }
    if cluster.gateway is not None:
        placed["gateway_class"] = cluster.gateway.gateway_class
    sections = {
        name: section.model_copy(update=_of_section(placed, section.model_fields_set, section.gateway))
        for name, section in config.environments.items()
    }
    without = NO_GATEWAY if config.gateway == NO_GATEWAY else None
    return config.model_copy(
        update={
            **placed,
            "gateway": without,
            "docker_repo": config.docker_repo if registry is None else f"{registry}/{ACCOUNT}",
            "environments": sections,
        }
    )


def _of_section(placed: dict[str, Any], there: set[str], gateway: str | None) -> dict[str, Any]:
    """Return what changes in a section: what it does not say stays unsaid, and so does no Gateway."""
    changed = {name: value for name, value in placed.items() if name in there}
    return {**changed, "gateway": NO_GATEWAY} if gateway == NO_GATEWAY else changed
