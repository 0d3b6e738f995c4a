"""Google's Artifact Registry, where images go that run at Google: a repository in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.model.contract import RegistrySettings
from curtainup.model.names import LIVE
from curtainup.targets.registries import Registry

if TYPE_CHECKING:
    from curtainup.session import Session

USER = "oauth2accesstoken"
"""Artifact Registry's user for an access token as the password."""


def _choose(session: Session, _known: RegistrySettings | None) -> RegistrySettings:
    config = session.service.config
    region = str(config.for_environment(LIVE).gcp_region)
    host = session.accounts.google.registry_host(region)
    return RegistrySettings(
        kind=ARTIFACT_REGISTRY.kind, host=host, project=str(config.docker_repo), region=region
    )


def _repository(registry: RegistrySettings, service: str) -> str:
    return f"{registry.host}/{registry.project}/{service}/{service}"


def _login(session: Session, _registry: RegistrySettings) -> tuple[str, str]:
    return USER, session.accounts.google.access_token()


ARTIFACT_REGISTRY = Registry(
    kind="artifact-registry", choose=_choose, repository=_repository, login=_login, is_account=True
)
