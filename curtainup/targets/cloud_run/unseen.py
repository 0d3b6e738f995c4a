"""A service that Cloud Run made although its answer got lost, so that Pulumi does not know it.

The provider asks again of its own accord, and hears that the service exists: it retries a connection that
was reset (terraform-provider-google, google/transport/error_retry_predicates.go), and the text is
"Error creating Service: googleapi: Error 409: Resource 'NAME' already exists." (the same repository's issue
16591). Without Pulumi's knowledge no later deployment would get past it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any

from curtainup.errors import Interrupted
from curtainup.model.targets.cloud_run import CloudRunEnvironment
from curtainup.platforms.google.api import Api, Refused

EXISTS = re.compile(r"Error creating Service: .*Error 409: Resource '[^']*' already exists")
PAUSE = 1.0
LOOKS = 60
"""How often it is looked whether a removed service is gone."""


def was_made(text: str) -> bool:
    """Return whether an update failed because the service is there."""
    return EXISTS.search(text) is not None


def is_there(api: Api, place: CloudRunEnvironment) -> bool:
    """Return whether an environment has a service; False if Google does not say."""
    try:
        return _look(api, _name(place)) is not None
    except Refused:
        return False


def _name(place: CloudRunEnvironment) -> str:
    return f"projects/{place.project}/locations/{place.region}/services/{place.service}-{place.name}"


def reclaim(
    api: Api, place: CloudRunEnvironment, started: datetime, say: Callable[[str], None], cancelled: Event
) -> bool:
    """Remove the service of an environment if this very update has made it.

    It must have curtainup's labels of the environment, and be younger than the update. Any other service of
    that name is somebody's, and stays.

    Args:
        api: Google's, with the deployer's headers.
        place: the environment.
        started: when the update began.
        say: told what is under way.
        cancelled: set when the run is to stop.

    Returns:
        Whether it was removed.

    Raises:
        Interrupted: the run was cancelled.

    """
    name = _name(place)
    found = _look(api, name)
    if found is None or not _is_own(found, place, started):
        return False
    say(f"the answer got lost when {place.service}-{place.name} was made: removing it, to make it again")
    api.run("DELETE", name)
    for _ in range(LOOKS):
        if _look(api, name) is None:
            return True
        if cancelled.wait(PAUSE):
            raise Interrupted("interrupted while a service was removed", where=name)
    return False


def _look(api: Api, name: str) -> dict[str, Any] | None:
    try:
        return api.run("GET", name)
    except Refused as refused:
        if refused.status != 404:
            raise
        return None


def _is_own(found: dict[str, Any], place: CloudRunEnvironment, started: datetime) -> bool:
    labels = found.get("labels") or {}
    named = (labels.get("curtainup-service"), labels.get("curtainup-environment"))
    made = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(found["createTime"])))
    return named == (place.service, place.name) and made >= started
