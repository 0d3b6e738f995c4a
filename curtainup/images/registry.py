"""Which registry a service's images go to, under which name, and how to log in to it."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curtainup.model.contract import RegistrySettings
from curtainup.model.names import LIVE
from curtainup.platforms.docker import confinement
from curtainup.platforms.haproxy.proxy import limit_pids
from curtainup.session import Session
from curtainup.targets import configured, every
from curtainup.targets.registries import Registry
from curtainup.util.files import read_bounded

GIVEN = "given"
"""The kind of a registry that is there, whoever runs it."""


def choose(session: Session, known: RegistrySettings | None) -> RegistrySettings:
    """Return the registry of the service's images, as remembered where that still fits.

    `docker_repo` names one when it begins with a host; without one it does too, unless live's target takes it
    for the cloud's account. Else images go where that target has them.
    """
    account = session.service.config.docker_repo
    own = configured(session.service.config.for_environment(LIVE)).registry
    if account and (_host(account) or not own.is_account):
        return RegistrySettings(kind=GIVEN, host=_host(account) or "docker.io")
    return own.choose(session, known)


def repository(session: Session, registry: RegistrySettings) -> str:
    """Return the image's name in the registry, without tag or digest."""
    name = session.service.config.name
    if (own := _kind(registry)) is not None:
        return own.repository(registry, name)
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


def login(session: Session, registry: RegistrySettings) -> tuple[str, str] | None:
    """Return user and short-lived password for a cloud's registry; None leaves it to Docker's own login."""
    own = _kind(registry)
    return own.login(session, registry) if own is not None and own.login is not None else None


def reach(session: Session, registry: RegistrySettings) -> None:
    """Have a registry that curtainup runs answer here as on the Docker host: Pulumi asks it for digests.

    Raises:
        PortTaken: another machine runs it, and its port belongs to something else on this one.

    """
    if registry.local_port:
        session.accounts.host.lead(registry.local_port)


def open_to_hosts(session: Session, registry: RegistrySettings) -> None:
    """Have a registry that curtainup runs answer on each Docker host of the service as on its own.

    Raises:
        PortTaken: its port belongs to something else, here or on a host.

    """
    others = [one.accounts for one in session.everywhere if one is not session]
    if not registry.local_port or not others:
        return
    reach(session, registry)
    own = session.accounts.engine.real_id
    for one in others:
        if one.engine.real_id != own:  # else it is the same machine by another address
            one.host.lead_back(registry.local_port)


def bound(session: Session, registry: RegistrySettings) -> None:
    """Limit the processes of a registry that curtainup runs, if it is there; Pulumi's provider cannot.

    Raises:
        EngineFailed: the Docker engine refused.

    """
    if registry.local_port:
        name = f"{session.service.config.name}-registry"
        with suppress(LookupError):
            limit_pids(session.accounts.docker.api, name, confinement.PIDS)


def _kind(registry: RegistrySettings) -> Registry | None:
    """Return the kind of a registry that a target brings; None of one that is given."""
    return next((one.registry for one in every() if one.registry.kind == registry.kind), None)


def _docker_config(environ: Mapping[str, str], host: str, user: str, password: str) -> dict[str, Any]:
    """Return Docker's configuration with a login added, and nothing in it that would come before that."""
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~")).expanduser() / ".docker")
    try:
        config = json.loads(read_bounded(folder / "config.json"))
    except (OSError, ValueError, RecursionError):
        config = {}
    known = config if isinstance(config, dict) else {}
    helpers = {name: helper for name, helper in _section(known, "credHelpers").items() if name != host}
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    rest = {key: value for key, value in known.items() if key != "credsStore"}
    auths = {**_section(known, "auths"), host: {"auth": login}}
    return {**rest, "auths": auths, "credHelpers": helpers}


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _host(account: str) -> str:
    """Return the registry's host that an account begins with, or nothing."""
    first, slash, _ = account.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else ""
