from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.state import FileState, Remembered, parse_deployment
from curtainup.errors import StateError

STACK = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:shop-live::…", "outputs": {"url": "http://x"}}
SALTED = {"type": "passphrase", "state": {"salt": "v1:salt"}}


class Backend:
    """The files of a file backend, laid out as Pulumi does."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / ".pulumi"
        self.state = FileState(folder)

    def write(self, path: str, document: Any) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return file

    def checkpoint(self, stack: str, latest: dict[str, Any] | None) -> Path:
        return self.write(f"stacks/curtainup/{stack}.json", {"version": 3, "checkpoint": {"latest": latest}})

    def history(self, stack: str, time: int, config: dict[str, Any] | None) -> Path:
        return self.write(f"history/curtainup/{stack}/{stack}-{time}.history.json", {"config": config})


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(tmp_path)


def test_a_stack_that_never_was_is_remembered_as_nothing(backend: Backend) -> None:
    assert backend.state.read("shop-live") == Remembered()
    assert not backend.state.read("shop-live").exists
    assert backend.state.stacks() == []
    assert backend.state.locks("shop-live") == []


def test_a_stack_that_was_only_created_exists(backend: Backend) -> None:
    backend.checkpoint("shop-live", None)
    assert backend.state.read("shop-live") == Remembered(exists=True)


def test_outputs_resources_and_salt_come_from_the_checkpoint(backend: Backend) -> None:
    operation = {"resource": {"urn": "u"}, "type": "creating"}
    backend.checkpoint(
        "shop-live",
        {"resources": [STACK], "secrets_providers": SALTED, "pending_operations": [operation]},
    )
    found = backend.state.read("shop-live")
    assert found.outputs == {"url": "http://x"}
    assert found.resources == (STACK,)
    assert found.salt == "v1:salt"
    assert found.pending == (operation,)


def test_configuration_is_that_of_the_newest_entry_of_the_history(backend: Backend) -> None:
    backend.checkpoint("shop-live", {})
    backend.history("shop-live", 1700000000000000001, {"curtainup:traffic": {"r1": 100}})
    backend.history("shop-live", 1700000000000000003, {"curtainup:traffic": {"größe": 100}})
    backend.history("shop-live", 1700000000000000002, {"curtainup:traffic": {"r2": 100}})
    assert backend.state.read("shop-live").config == {"curtainup:traffic": {"größe": 100}}


@pytest.mark.parametrize("nothing", [None, {}])
def test_an_update_without_configuration_does_not_hide_the_one_before(
    backend: Backend, nothing: dict[str, Any] | None
) -> None:
    backend.checkpoint("shop-live", {})
    backend.history("shop-live", 1700000000000000001, {"curtainup:traffic": {"r1": 100}})
    backend.history("shop-live", 1700000000000000002, nothing)
    assert backend.state.read("shop-live").config == {"curtainup:traffic": {"r1": 100}}


def test_a_refused_update_with_older_settings_hides_nothing(backend: Backend) -> None:
    root = {"type": "pulumi:pulumi:Stack", "outputs": {"generation": 4}}
    backend.checkpoint("shop-live", {"resources": [root]})
    for time, generation in enumerate((3, 4, 2), start=1700000000000000001):
        backend.history("shop-live", time, {"curtainup:environment": {"generation": generation}})
    assert backend.state.read("shop-live").config == {"curtainup:environment": {"generation": 4}}


def test_an_update_that_was_cut_off_as_it_removed_what_served_before_hides_nothing(backend: Backend) -> None:
    """The program had told its outputs; the entry in the history never came."""
    root = {"type": "pulumi:pulumi:Stack", "outputs": {"generation": 5}}
    backend.checkpoint("shop-live", {"resources": [root]})
    for time, generation in enumerate((3, 4, 2), start=1700000000000000001):
        backend.history("shop-live", time, {"curtainup:environment": {"generation": generation}})
    backend.history("shop-live", 1700000000000000009, None)
    assert backend.state.read("shop-live").config == {"curtainup:environment": {"generation": 4}}


def test_stacks_are_those_with_a_checkpoint(backend: Backend) -> None:
    for name in ("shop-live", "shop-image"):
        file = backend.checkpoint(name, None)
        file.with_suffix(".json.bak").write_text("{}")
    assert backend.state.stacks() == ["shop-image", "shop-live"]


def test_locks_are_those_of_the_stack(backend: Backend) -> None:
    lock = backend.write("locks/organization/curtainup/shop-live/1.json", {})
    backend.write("locks/organization/curtainup/shop-staging/2.json", {})
    assert backend.state.locks("shop-live") == [lock]


def test_a_stack_with_a_key_of_a_cloud_keeps_what_opens_it() -> None:
    state = {"url": "awskms://alias/x", "encryptedkey": "abc"}
    found = parse_deployment({"secrets_providers": {"type": "cloud", "state": state}}, {})
    assert found.secrets_provider == {"secretsprovider": "awskms://alias/x", "encryptedkey": "abc"}
    assert found.salt is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 3}'])
def test_a_damaged_checkpoint_is_an_error_and_never_an_absent_stack(backend: Backend, text: str) -> None:
    file = backend.write("stacks/curtainup/shop-live.json", text)
    with pytest.raises(StateError) as caught:
        backend.state.read("shop-live")
    assert caught.value.where == str(file)
    assert "nothing was done" in str(caught.value.consequence)
    assert caught.value.fix


def test_compressed_state_is_an_error_and_never_an_absent_stack(backend: Backend) -> None:
    file = backend.checkpoint("shop-live", {})
    file.with_suffix(".json.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    with pytest.raises(StateError, match="compressed") as caught:
        backend.state.read("shop-live")
    assert "PULUMI_SELF_MANAGED_STATE_GZIP" in str(caught.value.fix)


def test_the_salt_is_the_one_that_the_configuration_was_encrypted_with(backend: Backend) -> None:
    """A refresh by hand without settings gives the state another one."""
    other = {"type": "passphrase", "state": {"salt": "v1:other"}}
    backend.checkpoint("shop-live", {"resources": [STACK], "secrets_providers": other})
    backend.history("shop-live", 1700000000000000001, {"curtainup:traffic": {"r1": 100}})
    backend.history("shop-live", 1700000000000000002, None)
    copy = {"checkpoint": {"latest": {"secrets_providers": SALTED}}}
    backend.write("history/curtainup/shop-live/shop-live-1700000000000000001.checkpoint.json", copy)
    assert backend.state.read("shop-live").salt == "v1:salt"
