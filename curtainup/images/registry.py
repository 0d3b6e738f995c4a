"""Which registry a service's images go to, under which name, and how to log in to it."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curtainup.model.contract import RegistrySettings
from curtainup.model.names import LIVE
from curtainup.platforms.docker import placement
from curtainup.session import Session
from curtainup.setup.catalogue import REFERENCES

GOOGLE_USER = "oauth2accesstoken"
"""Artifact Registry's user for an access token as the password."""


def choose(session: Session, known: RegistrySettings | None) -> RegistrySettings:
    """Return the registry of the service's images, as remembered where that still fits.

    `docker_repo` names one when it begins with a host, and outside Google Cloud when it is set at all.
    Else Cloud Run's images go to Artifact Registry, Beanstalk's to ECR, and those of a Docker host to a
    registry of our own.
    """
    account = session.service.config.docker_repo
    target = session.service.config.for_environment(LIVE).deploy_target
    if account and (target != "gcp-cloud-run" or _host(account)):
        return RegistrySettings(kind="given", host=_host(account) or "docker.io")
    if target == "gcp-cloud-run":
        return _artifact_registry(session, str(account))
    if target == "aws-beanstalk":
        return _ecr(session, known)
    if known is not None and known.kind == "local":
        return known
    port = placement.internal_port(f"{session.service.config.name}-registry", ())
    return RegistrySettings(
        kind="local", host=f"127.0.0.1:{port}", local_port=port, image=REFERENCES["registry"]
    )


def repository(session: Session, registry: RegistrySettings) -> str:
    """Return the image's name in the registry, without tag or digest."""
    name = session.service.config.name
    if registry.kind == "artifact-registry":
        return f"{registry.host}/{registry.project}/{name}/{name}"
    if registry.kind in {"local", "ecr"}:
        return f"{registry.host}/{name}"
    account = str(session.service.config.docker_repo)
    prefix = "" if f"{account}/".startswith(f"{registry.host}/") else f"{registry.host}/"
    return f"{prefix}{account}/{name}"


@contextmanager
def logged_in(session: Session, registry: RegistrySettings) -> Iterator[dict[str, str]]:
    """Give the variables by which a push finds its login, for as long as it takes.

    A cloud's registry takes a short-lived token, which never enters Pulumi's state; the login to any other
    is Docker's own, with its credential helpers.
    """
    found = login(session, registry)
    if found is None:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="curtainup-login-") as folder:
        file = Path(folder) / "config.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(_docker_config(session.service.environ, registry.host, *found)))
        yield {"DOCKER_CONFIG": folder}


def _artifact_registry(session: Session, project: str) -> RegistrySettings:
    region = str(session.service.config.for_environment(LIVE).gcp_region)
    host = session.accounts.google.registry_host(region)
    return RegistrySettings(kind="artifact-registry", host=host, project=project, region=region)


def _ecr(session: Session, known: RegistrySettings | None) -> RegistrySettings:
    from curtainup.platforms import amazon

    config = session.service.config.for_environment(LIVE)
    region = amazon.region_of(config.aws_region, config.aws_user)
    if known is not None and (known.kind, known.region, known.profile) == ("ecr", region, config.aws_user):
        return known
    host = amazon.registry_login(region, config.aws_user).host
    return RegistrySettings(kind="ecr", host=host, region=region, profile=config.aws_user)


def login(session: Session, registry: RegistrySettings) -> tuple[str, str] | None:
    """Return user and short-lived password for a cloud's registry; None leaves it to Docker's own login."""
    if registry.kind == "artifact-registry":
        return GOOGLE_USER, session.accounts.google.access_token()
    if registry.kind == "ecr":
        from curtainup.platforms import amazon

        found = amazon.registry_login(registry.region, registry.profile)
        return found.user, found.password
    return None


def _docker_config(environ: Mapping[str, str], host: str, user: str, password: str) -> dict[str, Any]:
    """Return Docker's configuration with a login added, and nothing in it that would come before that."""
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~")).expanduser() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        config = {}
    helpers = {name: helper for name, helper in config.get("credHelpers", {}).items() if name != host}
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    rest = {key: value for key, value in config.items() if key != "credsStore"}
    return {**rest, "auths": {**config.get("auths", {}), host: {"auth": login}}, "credHelpers": helpers}


def _host(account: str) -> str:
    """Return the registry's host that an account begins with, or nothing."""
    first, slash, _ = account.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else ""
