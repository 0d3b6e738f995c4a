"""A service's configuration for a rehearsal, which needs no account, no profile and no real registry."""

from __future__ import annotations

from curtainup.config import ServiceConfig
from curtainup.targets import configured


def without_accounts(config: ServiceConfig) -> ServiceConfig:
    """Return a configuration without what leads to an account: profiles, and registries that have a host.

    Where the target takes `docker_repo` for the cloud's project, its last part stays: it names nothing real.
    """
    takes_project = configured(config.for_environment("live")).registry.is_account
    project = (config.docker_repo or "").rpartition("/")[2] or None
    sections = {
        name: section.model_copy(update={"aws_user": None}) if section.aws_user else section
        for name, section in config.environments.items()
    }
    return config.model_copy(
        update={
            "aws_user": None,
            "docker_repo": project if takes_project else None,
            "environments": sections,
        }
    )
