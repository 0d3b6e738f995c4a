"""Which cloud accounts the doctor looks at for a service."""

from __future__ import annotations

from curtainup.config import ServiceConfig
from curtainup.config.models import STANDARD_ENVIRONMENTS
from curtainup.model.checks import Piece
from curtainup.targets import plugin_check


def pieces(config: ServiceConfig) -> list[Piece]:
    """Return what to look at of the accounts that a service's environments are deployed to.

    A cloud's own modules are imported only for a service on it.
    """
    names = dict.fromkeys([*STANDARD_ENVIRONMENTS, *config.environments])
    environments = [config.for_environment(name) for name in names]
    found: list[Piece] = []
    on_google = [one for one in environments if one.deploy_target == "gcp-cloud-run"]
    if on_google:
        from curtainup.targets.cloud_run import checks as google

        found += google.pieces(str(config.docker_repo), on_google)
        found.append(plugin_check.piece("gcp", needs=google.SDK))
    on_amazon = [one for one in environments if one.deploy_target == "aws-beanstalk"]
    if on_amazon:
        from curtainup.targets.beanstalk import checks as amazon

        found += amazon.pieces(config.name, on_amazon, ecr=config.docker_repo is None)
        found.append(plugin_check.piece("aws", needs=amazon.SDK))
    return found
