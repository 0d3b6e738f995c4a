"""Opening a session: the configuration is read, the state found, the real clouds or a rehearsal chosen."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curtainup import config as configuration
from curtainup.config import ServiceConfig, env_file, review_names
from curtainup.engine import workspace as workspaces
from curtainup.model.names import LIVE, STAGING
from curtainup.reporting import Report
from curtainup.session import Service, Session
from curtainup.util import hidden
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    from curtainup.rehearsal.stage import Rehearsal


@dataclass(frozen=True)
class Rehearsing:
    """That a command is for the rehearsal and not for the real clouds.

    Attributes:
        faults: what is to go wrong.
        lasting: how long a cluster is needed that is started for it; None starts none.

    """

    faults: tuple[str, ...] = ()
    lasting: ExitStack | None = None


def open_session(
    service_dir: Path,
    overlay: str | None,
    report: Report,
    *,
    with_secrets: bool = True,
    rehearsing: Rehearsing | None = None,
    review: str | None = None,
    variables: Path | None = None,
) -> Session:
    """Read the configuration, find the state, and return what a command works with.

    Without `with_secrets` a missing secret is no error: those at hand are still kept out of all output.
    A secret that is not set, and has a source in `secrets_from`, is fetched; in a rehearsal it has to be set.
    With `rehearsing` no real account and no real state is within the process's reach from then on.
    With `review` only that review environment is deployed, and only its secrets are needed.
    From the file `variables` come the secrets that are not set; it is read before any source is asked.

    Raises:
        ConfigError: the configuration or that file is missing or wrong.
        MissingSecretsError: a secret is not set.
        StateError: there is no backend, its passphrase is missing, or it holds rehearsals.
        RefusedError: the target or a fault cannot be rehearsed, or `review` cannot be a name.
        SetupError: the cluster of a rehearsal cannot be used or started.

    """
    config = configuration.load(service_dir, overlay, warn=report.warn)
    if rehearsing is not None:
        from curtainup.rehearsal import no_accounts

        config = no_accounts.without_accounts(config)
    if review is not None:
        review_names.require(config, review)
    if variables is not None:
        os.environ.update(_of_file(config, variables, report))
    if with_secrets and rehearsing is None:
        os.environ.update(_fetched(config, service_dir, review))  # the service's tests read them there
    secrets = _at_hand(config, os.environ)
    if with_secrets:
        secrets |= configuration.collect_secrets(config, os.environ, review)
    service = Service(config, os.environ, secrets, review or STAGING)
    hidden.hide(service.hidden)
    if with_secrets:
        _warn_of_telltales(config, secrets, report)
    provider_dir = Path(sys.executable).parent
    if rehearsing is not None:
        rehearsal = _on_stage(config, rehearsing, report)
        service = replace(service, config=rehearsal.fitted(config))
        workspace = workspaces.open_workspace(
            service_dir, rehearsal.backend(), provider_dir, rehearsal=rehearsal.target
        )
        return Session.of(service, workspace, report, rehearsal)
    backend = workspaces.find_backend(config.backend, config.secrets_provider, os.environ)
    workspaces.require_real(backend)
    workspace = workspaces.open_workspace(service_dir, backend, provider_dir)
    return Session.of(service, workspace, report)


def _of_file(config: ServiceConfig, file: Path, report: Report) -> dict[str, str]:
    """Return by name the secrets that a file has and that are not set here; nothing else of it is used."""
    found = env_file.read(file, report.warn)
    names = configuration.secret_names(config)
    return {name: found[name] for name in names if found.get(name) and not os.environ.get(name)}


def _fetched(config: ServiceConfig, folder: Path, review: str | None) -> dict[str, str]:
    """Return by name the secrets that are needed, not set here, and have a source."""
    needed = configuration.needed_secrets(config, review)
    wanted = {name: config.secrets_from[name] for name in needed if name in config.secrets_from}
    wanted = {name: source for name, source in wanted.items() if not os.environ.get(name)}
    if not wanted:
        return {}
    from curtainup.platforms import secret_sources

    live = config.for_environment(LIVE)
    place = secret_sources.Place(folder, os.environ, live.aws_region, live.aws_user)
    return secret_sources.fetched(wanted, place)


def _warn_of_telltales(config: ServiceConfig, secrets: Mapping[str, Secret], report: Report) -> None:
    for name in configuration.telltales(secrets, (config.name, *config.environment_names)):
        report.warn(
            f"the value of {name} is so short or so common that other output holds it too: curtainup masks "
            "it wherever it stands as a word in what tests and the service print. If it is no secret, write "
            "it under `env`; else give it a longer value"
        )


def _on_stage(config: ServiceConfig, rehearsing: Rehearsing, report: Report) -> Rehearsal:
    from curtainup.rehearsal import stage

    target = config.for_environment("live").deploy_target
    return stage.set_up(target, rehearsing.faults, os.environ, report, rehearsing.lasting)


def _at_hand(config: ServiceConfig, environ: Mapping[str, str]) -> dict[str, Secret]:
    names = configuration.secret_names(config)
    return {name: Secret(environ[name]) for name in names if environ.get(name)}
