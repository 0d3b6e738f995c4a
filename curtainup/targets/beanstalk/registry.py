"""Amazon's Elastic Container Registry, where Beanstalk's images go: the account's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.model.contract import RegistrySettings
from curtainup.model.names import LIVE
from curtainup.platforms import amazon
from curtainup.targets.registries import Registry

if TYPE_CHECKING:
    from curtainup.session import Session


def _choose(session: Session, known: RegistrySettings | None) -> RegistrySettings:
    config = session.service.config.for_environment(LIVE)
    region = amazon.region_of(config.aws_region, config.aws_user)
    if known is not None and (known.kind, known.region, known.profile) == (ECR.kind, region, config.aws_user):
        return known
    host = amazon.registry_login(region, config.aws_user).host
    return RegistrySettings(kind=ECR.kind, host=host, region=region, profile=config.aws_user)


def _login(_session: Session, registry: RegistrySettings) -> tuple[str, str]:
    found = amazon.registry_login(registry.region, registry.profile)
    return found.user, found.password


ECR = Registry(kind="ecr", choose=_choose, login=_login)
