from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands import history as command
from curtainup.engine.state import FileState
from curtainup.environments import history
from curtainup.environments.history import Update
from curtainup.errors import StateError

START = 1795275084


def _entry(
    releases: dict[str, str], traffic: dict[str, int], *, at: int = 0, **changed: Any
) -> dict[str, Any]:
    """An entry as a file backend keeps it, of an update to these releases and this traffic."""
    return {
        "kind": "update",
        "startTime": START + at,
        "endTime": START + at + 3,
        "result": "succeeded",
        "environment": {"git.author": "Ann", "git.head": "25cb18a229ac"},
        "config": {
            "curtainup:releases": [{"id": one, "version": version} for one, version in releases.items()],
            "curtainup:traffic": traffic,
            "curtainup:by": "ann@laptop",
        },
        **changed,
    }


def _told(entry: dict[str, Any], *, secret: bool) -> dict[str, Any]:
    """The same as `pulumi stack history --json` tells it; a value that holds secrets is left out."""
    config = {
        name: {"secret": False, "value": json.dumps(value), "objectValue": value}
        for name, value in entry["config"].items()
    }
    if secret:
        config["curtainup:releases"] = {"secret": True}
    return {
        **entry,
        "config": config,
        "startTime": "2026-11-21T15:31:24.000Z",
        "endTime": "2026-11-21T15:31:27Z",
    }


STORY = [
    _entry({"r1": "v1"}, {"r1": 100}),
    _entry({"r1": "v1", "r2": "v2"}, {"r1": 100, "r2": 0}, at=10),
    _entry({"r1": "v1", "r2": "v2"}, {"r1": 90, "r2": 10}, at=20),
    _entry({"r1": "v1", "r2": "v2"}, {"r1": 0, "r2": 100}, at=30, result="failed"),
    _entry({"r1": "v1"}, {"r1": 100}, at=40),
]


def test_each_update_is_told_by_what_it_did_to_releases_and_traffic() -> None:
    assert [one.moves for one in history.parse("live", STORY)] == [
        ("v1 (r1) added", "v1 (r1) 0 → 100 %"),
        ("v2 (r2) added",),
        ("v1 (r1) 100 → 90 %", "v2 (r2) 0 → 10 %"),
        ("v1 (r1) 90 → 0 %", "v2 (r2) 10 → 100 %"),
        ("v2 (r2) 100 → 0 %", "v1 (r1) 0 → 100 %", "v2 (r2) removed"),
    ]


def test_it_says_when_by_whom_and_how_it_ended() -> None:
    one = history.parse("live", STORY)[3]
    assert one == Update(
        "live",
        "2026-11-21T15:31:54+00:00",
        3,
        "update",
        "failed",
        "ann@laptop",
        "Ann",
        "25cb18a229ac",
        one.moves,
    )


def test_a_destroyed_environment_has_nothing() -> None:
    *_, last = history.parse("live", [*STORY, _entry({}, {}, at=50, kind="destroy", config={})])
    assert last.moves == ("v1 (r1) 100 → 0 %", "v1 (r1) removed")


@pytest.mark.parametrize("secret", [False, True])
def test_the_cli_s_history_tells_the_same_but_what_it_hides(secret: bool) -> None:
    found = history.parse("live", [_told(entry, secret=secret) for entry in STORY])
    shown = ("v1 (r1) 100 → 90 %", "v2 (r2) 0 → 10 %")
    hidden = ("r1 100 → 90 %", "r2 0 → 10 %")
    assert found[2].moves == (hidden if secret else shown)
    assert (found[2].at, found[2].seconds) == ("2026-11-21T15:31:24+00:00", 3)


def test_an_update_by_hand_without_settings_changes_nothing() -> None:
    entries = [STORY[0], {"kind": "refresh", "startTime": START, "endTime": START, "result": "succeeded"}]
    assert history.parse("live", entries)[1].moves == ()


def test_an_update_that_does_not_say_who_made_it_names_the_author_of_the_commit() -> None:
    entry = {**STORY[0], "config": {}}
    assert command.render(history.parse("live", [entry])).endswith("25cb18a Ann")


def test_the_newest_comes_first() -> None:
    assert command.render(history.parse("live", STORY[:2])).splitlines() == [
        "2026-11-21T15:31:34+00:00  live  update  3 s  25cb18a ann@laptop",
        "  v2 (r2) added",
        "2026-11-21T15:31:24+00:00  live  update  3 s  25cb18a ann@laptop",
        "  v1 (r1) added",
        "  v1 (r1) 0 → 100 %",
    ]


def test_an_entry_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "history" / "curtainup" / "shop-live"
    folder.mkdir(parents=True)
    (folder / "shop-live-1.history.json").write_text("{}")
    (folder / "shop-live-2.history.json").write_text("{")
    with pytest.raises(StateError, match="history of stack shop-live") as caught:
        list(FileState(tmp_path).updates("shop-live"))
    assert str(caught.value.where).endswith("shop-live-2.history.json")
    assert list(FileState(tmp_path).updates("shop-staging")) == []
