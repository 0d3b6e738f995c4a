"""Rules for an environment on a Docker host that is reached over HTTPS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.problems import Problem

BINDS: Final = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - what may be written, not where anything listens
"""Where an environment behind the door may be published."""
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def https(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """HTTPS needs a public name, without a port, that a certificate can be for."""
    if not environment.https or environment.deploy_target != "docker":
        return
    live = config.live_host or urlsplit(config.live_url or "").hostname
    if environment.environment == "live" and live is None:
        yield Problem(
            path=("live_host",),
            what="is missing, and `https: true` needs it",
            consequence="nobody could issue a certificate for it",
            fix="add e.g. `live_host: hello.example.com`",
        )
    if environment.bind not in BINDS:
        yield Problem(
            path=("bind",),
            what=f"{environment.bind} does not go with `https: true`",
            consequence="the proxy could not tell the door and the host from everybody else",
            fix=f"remove it, or write {' or '.join(BINDS)}",
        )
    for one, other in (("certificate", "certificate_key"), ("certificate_key", "certificate")):
        if getattr(environment, one) is not None and getattr(environment, other) is None:
            yield Problem(
                path=(other,),
                what=f"is missing, and {one} needs it",
                consequence="the door could not use the certificate",
                fix=f"add e.g. `{other}: TLS_{'KEY' if other == 'certificate_key' else 'CERTIFICATE'}`",
            )
    for key, host in (("live_host", live), ("staging_host", config.staging_host)):
        if host is not None and not _is_public_name(host):
            yield Problem(
                path=(key,),
                what=f"{host} is no name that a certificate can be for",
                consequence="the environment could not be reached over HTTPS",
                fix="write a name with a dot and without a port, such as hello.example.com",
            )
    if live is not None and config.staging_host is not None and config.staging_host.lower() == live.lower():
        yield Problem(
            path=("staging_host",),
            what="is the host of live too",
            consequence="one of the two could not be reached",
            fix="give staging a name of its own",
        )


def _is_public_name(host: str) -> bool:
    """Return whether a host is a name as DNS has it: labels of letters, digits and hyphens."""
    labels = host.split(".")
    return len(labels) > 1 and not labels[-1].isdigit() and all(_LABEL.fullmatch(one) for one in labels)
