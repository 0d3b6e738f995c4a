"""Releases as they stand in stack configuration, with their secrets encrypted.

This module alone reads releases from stack configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, create_model

from curtainup.errors import StateError
from curtainup.model.release import Deployment, Release, StrictModel
from curtainup.model.release_settings import Settings

if TYPE_CHECKING:
    import pulumi


class _Entry(Release):
    secrets: Any = None


class _Stored(StrictModel):
    releases: tuple[_Entry, ...]


@cache
def _stored(settings: type[Settings]) -> type[_Stored]:
    """Return how releases are stored that run with settings of that type."""
    entry: Any = create_model("_Entry", __base__=_Entry, settings=(settings, ...))
    return create_model("_Stored", __base__=_Stored, releases=(tuple[entry, ...], ...))


_SECRETS = TypeAdapter(dict[str, str], config=ConfigDict(hide_input_in_errors=True))


def to_config(deployment: Deployment, sealed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Render the releases for stack configuration; `sealed` holds each one's encrypted secrets."""
    entries = []
    for release in deployment.releases:
        entry = release.model_dump(mode="json", exclude_none=True)
        if release.id in sealed:
            entry["secrets"] = sealed[release.id]
        entries.append(entry)
    return entries


def from_entries(
    entries: Sequence[Mapping[str, Any]],
    traffic: Mapping[str, int],
    settings: type[Settings],
    working: str | None = None,
) -> tuple[Deployment, dict[str, Any]]:
    """Read releases back from stack configuration, apart from what their `secrets` hold.

    Args:
        entries: as `to_config` renders them.
        traffic: per cent by release id.
        settings: what releases run with on the target.
        working: the release whose processes run; None or empty is the one with all traffic.

    Returns:
        The deployment, and the secrets part of each release that has one, as it stands in `entries`.

    Raises:
        pydantic.ValidationError: the configuration was edited into something that is no deployment.

    """
    stored = _stored(settings).model_validate({"releases": entries}).releases
    parts = {entry.id: entry.secrets for entry in stored if entry.secrets is not None}
    plain = [Release(**{name: getattr(entry, name) for name in Release.model_fields}) for entry in stored]
    found = {"releases": plain, "traffic": traffic, "working": working or None}
    return Deployment.model_validate(found), parts


def from_config(
    config: pulumi.Config, settings: type[Settings]
) -> tuple[Deployment, dict[str, dict[str, pulumi.Output[str]]]]:
    """Read releases and traffic from stack configuration: the only place of the program that does.

    `Config.get_object` would hand out nested secrets in plain, and they would end in state, backups,
    history and plans. Here the value of each release's secret leaves as a secret output.

    Args:
        config: of the stack.
        settings: what releases run with on the target.

    Returns:
        The deployment, and by release id and name the values of its secrets.

    Raises:
        StateError: there is no `releases`; its absence must never be taken for an empty list.
        pydantic.ValidationError: they were edited into something that is no deployment.

    """
    import pulumi

    entries = config.get_object("releases")
    if entries is None:
        raise StateError(
            "this stack's settings hold no `releases`",
            where=f"stack {pulumi.get_stack()}",
            consequence="an update without them would delete every release that serves, so nothing was done",
            fix="pulumi config refresh --force brings them back from the last deployment",
        )
    traffic = config.get_object("traffic") or {}
    deployment, parts = from_entries(entries, traffic, settings, config.get("working"))
    return deployment, {
        one: {name: pulumi.Output.secret(value) for name, value in _SECRETS.validate_json(part).items()}
        for one, part in parts.items()
    }
