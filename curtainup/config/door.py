"""Settings of the door: the one of a Docker host that speaks HTTPS for all services on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from curtainup.config.keys import KeyDoc, Text, key
from curtainup.config.runtime import Settings

_DOCKER = ("docker",)

Directory = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9\[][\x21-\x7e]*\z", max_length=500)]
Email = Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]+@[A-Za-z0-9.-]+\z", max_length=200)]


class DoorKeys(Settings):
    """Where the door gets certificates. Services on one host have to agree, as they share its door."""

    acme_directory: Directory | None = key(
        None,
        "The directory of the ACME server that issues the certificates.",
        KeyDoc(
            expects="an address that starts with https://",
            wrong="the door could get no certificate",
            example="https://acme-staging-v02.api.letsencrypt.org/directory",
            targets=_DOCKER,
            shown="Let's Encrypt, and ZeroSSL if that fails",
        ),
    )
    acme_root: Text | None = key(
        None,
        "A file with the root certificate of the ACME server itself, for one inside a company. The path is "
        "relative to the service's folder.",
        KeyDoc(
            expects="the path of a PEM file",
            wrong="the door would not trust the ACME server",
            example="certificates/company.pem",
            targets=_DOCKER,
            shown="the roots that browsers trust",
        ),
    )
    acme_email: Email | None = key(
        None,
        "The address to which the ACME server writes if something is wrong with a certificate.",
        KeyDoc(
            expects="a mail address",
            wrong="nobody would hear of it",
            example="ops@example.com",
            targets=_DOCKER,
            private=True,
        ),
    )
