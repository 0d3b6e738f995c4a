"""What a service needs of others in its repository."""

from __future__ import annotations

from curtainup.config.keys import KeyDoc, ServiceNames, key
from curtainup.config.runtime import Settings


class MonorepoSettings(Settings):
    """What a service needs of others in its repository."""

    depends_on: ServiceNames = key(
        (),
        "The names of services that `curtainup deploy services/*` deploys before this one.",
        KeyDoc(
            expects="a list of names of services without duplicates",
            item="the name of a service",
            wrong="this service could be deployed before those that it needs",
            example="[users, billing]",
        ),
    )
