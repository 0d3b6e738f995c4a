"""Whom a run notifies. Addresses hold tokens, so the file names the variables that hold the addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator

from curtainup.config.keys import KeyDoc, Variable, key
from curtainup.config.runtime import Settings
from curtainup.util.secrets import Secret

Event = Literal[
    "start", "held", "live", "unchanged", "failed", "returned", "paused", "interrupted", "done", "schedule"
]
Besides = Literal["review", "rehearsal", "destroy"]
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
USUAL: Final = tuple(event for event in EVENTS if event != "unchanged")


class Destination(Settings):
    """An address that is notified of runs; a bare name in the file is its `url_env`."""

    url_env: Variable = key(
        ...,
        "The name of the variable that holds the Apprise URL.",
        KeyDoc(
            expects="the name of a variable that holds an Apprise URL",
            wrong="nobody would be notified; and a URL here shows its token to everyone who reads the file",
            example="SLACK_URL",
            private=True,
        ),
    )
    events: tuple[Event, ...] = key(
        USUAL,
        "The events to notify it about.",
        KeyDoc(
            expects=f"a list of {', '.join(EVENTS)}",
            item=f"one of {', '.join(EVENTS)}",
            wrong="it would be notified about other events than you meant",
            example="[failed, returned]",
            shown="all but `unchanged`",
        ),
    )
    also: tuple[Besides, ...] = key(
        (),
        "Other runs to notify it about, besides those that lead to live.",
        KeyDoc(
            expects=f"a list of {', '.join(get_args(Besides))}",
            item=f"one of {', '.join(get_args(Besides))}",
            wrong="it would be notified about other runs than you meant",
            example="[review]",
        ),
    )


def _with_name(value: Any) -> Any:
    return value if isinstance(value, Mapping | Destination) else {"url_env": value}


def _once(value: tuple[Destination, ...]) -> tuple[Destination, ...]:
    if len({one.url_env for one in value}) != len(value):
        raise ValueError("listed twice")
    return value


Destinations = Annotated[
    tuple[Annotated[Destination, BeforeValidator(_with_name, json_schema_input_type=str | Destination)], ...],
    AfterValidator(_once),
]


class NotifySettings(Settings):
    """The addresses that are notified of runs."""

    notify: Destinations = key(
        (),
        "Variables that hold the Apprise URLs to notify about deployments. An entry is the name of a "
        "variable, or a mapping with `url_env`, `events` and `also`.",
        KeyDoc(
            expects="a list of variable names or mappings with `url_env`, without duplicates",
            item="the name of a variable that holds an Apprise URL, or a mapping with `url_env`",
            wrong="nobody would be notified; and a URL here shows its token to everyone who reads the file",
            example="[SLACK_URL]",
            shown="nobody is notified",
            private=True,
        ),
    )


def addresses(destinations: Iterable[Destination], environ: Mapping[str, str]) -> dict[str, Secret]:
    """Return the addresses that are set, by the name of their variable."""
    names = (one.url_env for one in destinations)
    return {name: Secret(environ[name].strip()) for name in names if environ.get(name, "").strip()}
