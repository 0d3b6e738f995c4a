from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands.preview import plan as preview_plan
from curtainup.commands.preview.compute import Preview
from curtainup.errors import RefusedError
from curtainup.images.source import Source
from curtainup.model.preview import EnvironmentPreview, ResourcePreview, StackPreview
from curtainup.pipeline.plan import plan as plans
from curtainup.pipeline.plan.plan import Plan
from tests.samples import release
from tests.sessions import world

HASH = "0" * 64
SOURCE = Source(Path("/srv"), "f" * 40, "200415-0819-9-ffffff", "t1", ("server.py",), dirty=False, url="")
PROXY = ResourcePreview(
    "replace", "docker:index/container:Container", "shop-live-proxy", ("ports[0]",), ("ports[0]",), True
)
LIVE = StackPreview(
    "shop-live",
    ("v2 gets 100 %",),
    {"replace": 1, "same": 3},
    True,
    (PROXY,),
    EnvironmentPreview("live", "r0000001", ("r0000001",), None, HASH),
)


def made(folder: Path, **changed: Any) -> Plan:
    found = preview_plan.of(world(folder).session, Preview(SOURCE, "", (LIVE,)))
    return found.model_copy(update=changed)


def test_a_plan_is_read_as_it_was_written_and_the_same_one_has_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    plan = made(tmp_path)
    for file in (one, two):
        plans.save(plan, file)
    assert plans.read(one) == plan
    assert one.read_bytes() == two.read_bytes()


def test_a_plan_says_what_is_built_from_which_commit(tmp_path: Path) -> None:
    plan = made(tmp_path)
    assert (plan.commit, plan.image, plan.curtainup_plan) == ("f" * 40, "built from ffffffffffff", 1)
    built = preview_plan.of(world(tmp_path).session, Preview(SOURCE, "127.0.0.1:5000/shop@sha256:1", ()))
    assert built.image == "127.0.0.1:5000/shop@sha256:1"


def test_a_plan_knows_its_stacks(tmp_path: Path) -> None:
    assert made(tmp_path).stack("shop-live") == LIVE
    assert made(tmp_path).stack("shop-staging") is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, "the plan cannot be read"),
        ("", "the plan cannot be read"),
        ("[1, 2", "the plan cannot be read"),
        (b"\xff\xfe\x00", "the plan cannot be read"),
        ("[]", "this is not a curtainup plan"),
        ('{"version": 3}', "this is not a curtainup plan"),
        ('{"curtainup_plan": 2}', "this plan has version 2, but this curtainup reads version 1"),
        ('{"curtainup_plan": 1}', "this plan is damaged"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str | bytes | None, what: str) -> None:
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RefusedError, match=what) as caught:
        plans.read(file)
    assert caught.value.where == str(file)
    assert "curtainup preview --save" in str(caught.value.fix)
    assert "staging and live are as they were" in str(caught.value.consequence)


@pytest.mark.parametrize(
    "damage",
    [
        {"stacks": [{"stack": "shop-live"}]},
        {"configuration": "no hash"},
        {"further": 1},
        {"stacks": "none"},
    ],
)
def test_a_damaged_plan_is_refused_as_a_whole(tmp_path: Path, damage: dict[str, Any]) -> None:
    file = tmp_path / "plan.json"
    plans.save(made(tmp_path), file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **damage}))
    with pytest.raises(RefusedError, match="this plan is damaged"):
        plans.read(file)


def test_whoever_reviews_a_plan_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    plans.save(made(tmp_path), file)
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_key_that_nobody_knows_is_not_passed_over_within_a_stack(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    plans.save(made(tmp_path), file)
    document = json.loads(file.read_text())
    document["stacks"][0]["resources"][0]["operations"] = ["delete"]
    file.write_text(json.dumps(document))
    with pytest.raises(RefusedError, match="this plan is damaged"):
        plans.read(file)


def test_a_plan_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="could not be written"):
        plans.save(made(tmp_path), tmp_path / "absent" / "plan.json")


def test_a_plan_fits_the_source_and_settings_that_it_was_made_for(tmp_path: Path) -> None:
    plans.require_made_for(made(tmp_path), world(tmp_path).session, SOURCE)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"service": "other"}, "service"),
        ({"rehearsal": True}, "kind of run"),
        ({"commit": "e" * 40}, "commit"),
        ({"tree": "t2"}, "source tree"),
        ({"version": "200415-0819-9-ffffff-dirty-abc"}, "source tree"),
        ({"configuration": "1" * 64}, "configuration"),
    ],
)
def test_a_plan_for_something_else_is_refused(tmp_path: Path, changed: dict[str, Any], what: str) -> None:
    plan = made(tmp_path, **changed)
    with pytest.raises(RefusedError, match=f"the plan is for another {what}") as caught:
        plans.require_made_for(plan, world(tmp_path).session, SOURCE)
    assert "nothing was built" in str(caught.value.consequence)


@pytest.mark.parametrize(
    "text", ["memory_limit: 300m\n", "env: {A: b}\n", "environments: {live: {port: 8443}}\n"]
)
def test_any_changed_setting_is_another_configuration(tmp_path: Path, text: str) -> None:
    plan = made(tmp_path)
    with pytest.raises(RefusedError, match="another configuration"):
        plans.require_made_for(plan, world(tmp_path, text).session, SOURCE)


def test_the_hash_of_a_release_tells_settings_and_secrets_apart_but_not_images() -> None:
    one = release(1, secrets_hmac="aa")
    found = plans.settings_hash(one, secrets=True)
    assert found == plans.settings_hash(release(2, secrets_hmac="aa"), secrets=True)
    assert found != plans.settings_hash(release(1, secrets_hmac="bb"), secrets=True)
    assert found != plans.settings_hash(replace_settings(memory_mb=300), secrets=True)


def test_secrets_of_a_first_release_are_not_compared_as_their_key_is_not_made_yet() -> None:
    one, two = release(1, secrets_hmac="aa"), release(1, secrets_hmac="bb")
    assert plans.settings_hash(one, secrets=False) == plans.settings_hash(two, secrets=False)


def test_a_dirty_source_is_another_one(tmp_path: Path) -> None:
    dirty = replace(SOURCE, dirty=True, tree="t1+", version=f"{SOURCE.version}-dirty-t1+")
    with pytest.raises(RefusedError, match="another source tree"):
        plans.require_made_for(made(tmp_path), world(tmp_path).session, dirty)


def replace_settings(**changed: Any) -> Any:
    one = release(1, secrets_hmac="aa")
    return one.model_copy(update={"settings": one.settings.model_copy(update=changed)})


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 100_000, '"\\ud800"'])
def test_a_document_that_nobody_means_is_no_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan").write_text(text)
    with pytest.raises(RefusedError):
        plans.read(tmp_path / "plan")


def test_a_plan_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan")
    with pytest.raises(RefusedError) as caught:
        plans.read(tmp_path / "plan")
    assert "not a regular file" in str(caught.value.detail)
