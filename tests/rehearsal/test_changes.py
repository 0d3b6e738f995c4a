from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from curtainup.rehearsal import changes
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.cloud_run.service import Service
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

KINDS = changes.messages.PropertyDiff


def named(olds: dict[str, Any], news: dict[str, Any], home: Home) -> dict[str, Any]:
    request = SimpleNamespace(urn="urn:pulumi:s::p::t::web", randomSeed=b"\x01\x23\x45\x67")
    return changes.named(Service(Cloud(home, Faults())), request, olds, news)


def test_a_name_is_made_up_once_and_then_kept(tmp_path: Any) -> None:
    first = named({}, {}, Home(tmp_path))
    assert first == {"name": "web-0123456", "__defaults": ["name"]}
    assert named({"name": "web-fffffff", "__defaults": ["name"]}, {}, Home(tmp_path))["name"] == "web-fffffff"
    assert named({"name": "given", "__defaults": []}, {}, Home(tmp_path)) == first


def test_a_given_name_is_deleted_before_it_is_made_again() -> None:
    old = {"name": "web", "location": "a", "__defaults": []}
    found = changes.response(old, {**old, "location": "b"}, {"location"}, (), "name")
    assert found.replaces == ["location"]
    assert found.deleteBeforeReplace
    made_up = {**old, "__defaults": ["name"]}
    assert not changes.response(
        made_up, {**made_up, "location": "b"}, {"location"}, (), "name"
    ).deleteBeforeReplace


def test_nested_differences_are_told_by_path_and_replace_where_they_must() -> None:
    old, new = {"settings": [{"a": 1, "b": 1}]}, {"settings": [{"a": 2, "b": 2}]}
    found = changes.response(old, new, {"settings.a"}, ())
    assert found.detailedDiff["settings[0].a"].kind == KINDS.UPDATE_REPLACE
    assert found.detailedDiff["settings[0].b"].kind == KINDS.UPDATE


def test_what_is_ignored_is_no_difference() -> None:
    found = changes.response({"a": {"b": 1}}, {"a": {"b": 2}}, (), ("a",))
    assert found.changes == changes.messages.DiffResponse.DIFF_NONE


def test_an_asset_differs_by_its_hash_alone() -> None:
    signature = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17"}
    old, new = {"source": {**signature, "hash": "x"}}, {"source": {**signature, "hash": "x", "text": "hi"}}
    assert changes.response(old, new, (), ()).changes == changes.messages.DiffResponse.DIFF_NONE
    new["source"]["hash"] = "y"
    assert changes.response(old, new, (), ()).changes == changes.messages.DiffResponse.DIFF_SOME
