"""What a Google Cloud project still has of a service; only reading calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import requests

from cloud_check.models import Place
from curtainup.errors import SetupError
from curtainup.platforms.google import account

TIMEOUT = 30

Ask = Callable[[str], dict[str, Any]]
"""Gets a URL, and returns the JSON that it answers."""
LISTS = (
    (
        "https://run.googleapis.com/v2/projects/{project}/locations/{region}/services",
        "services",
        "Cloud Run service {}, billed while instances wait",
    ),
    ("https://run.googleapis.com/v2/projects/{project}/locations/{region}/jobs", "jobs", "Cloud Run job {}"),
    (
        "https://artifactregistry.googleapis.com/v1/projects/{project}/locations/{region}/repositories",
        "repositories",
        "Artifact Registry repository {}, billed by its images",
    ),
    ("https://secretmanager.googleapis.com/v1/projects/{project}/secrets", "secrets", "secret {}, billed"),
    ("https://iam.googleapis.com/v1/projects/{project}/serviceAccounts", "accounts", "service account {}"),
)
"""Each list: its URL, the key of its items, and what an item is in words."""


def left(service: str, place: Place, ask: Ask) -> list[str]:
    """Return what there is whose name begins with the service's, in words.

    Raises:
        SetupError: Google Cloud cannot be reached, or refuses a question.

    """
    found = []
    for url, key, words in LISTS:
        for one in _pages(url.format(project=place.project, region=place.region), key, ask):
            name = str(one["name"]).rpartition("/")[2]
            if name.startswith(service):
                found.append(words.format(name))
    return sorted(found)


def _pages(url: str, key: str, ask: Ask) -> Iterator[dict[str, Any]]:
    page = ""
    while True:
        answer = ask(f"{url}?pageToken={quote(page)}" if page else url)
        yield from answer.get(key, ())
        page = answer.get("nextPageToken", "")
        if not page:
            return


def asking() -> Ask:
    """Return how to ask with the deployer's own credentials.

    Raises:
        SetupError: there are none.

    """
    headers: dict[str, str] = {}
    account.credentials().apply(headers)

    def ask(url: str) -> dict[str, Any]:
        try:
            answer = requests.get(url, headers=headers, timeout=TIMEOUT)
            answer.raise_for_status()
            said: dict[str, Any] = answer.json()
        except requests.RequestException as error:
            raise SetupError(
                "Google Cloud does not say what there is",
                where=url,
                fix="look in the console",
                detail=str(error),
            ) from error
        return said

    return ask
