from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.aftermath.strays import CONTAINER
from curtainup.engine.state import Remembered
from curtainup.environments import accessories_kept
from curtainup.errors import StateError
from curtainup.model.accessories import AccessoriesSettings, Accessory

STACK = "shop-live-accessories"
DB = Accessory(name="db", image="postgres:16")
CACHE = Accessory(name="cache", image="redis:7")
SETTINGS = AccessoriesSettings(
    service="shop", environment="live", subnet="10.213.9.0/24", state="s1", accessories=(CACHE, DB)
)
ROOT = {"urn": f"urn:pulumi:{STACK}::curtainup::pulumi:pulumi:Stack::x", "type": "pulumi:pulumi:Stack"}


def container(name: str) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:{STACK}::curtainup::{CONTAINER}::{STACK}-{name}", "type": CONTAINER}


class Memory:
    """Remembers one stack."""

    sees_locks = False

    def __init__(self, *resources: dict[str, Any], **config: Any) -> None:
        named = {f"curtainup:{key}": value for key, value in config.items()}
        self._remembered = Remembered(config=named, resources=(ROOT, *resources))

    def read(self, stack: str) -> Remembered:
        assert stack == STACK
        return self._remembered

    def stacks(self) -> list[str]:
        return [STACK]

    def locks(self, stack: str) -> list[Path]:  # noqa: ARG002 - as in `StackMemory`
        return []

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - as in `StackMemory`
        yield from () if not self._remembered.config else ({"kind": "update"},)


def read(memory: Memory) -> accessories_kept.Kept:
    return accessories_kept.read(memory, STACK, "shop", "live")


def test_what_was_made_is_known_with_its_secrets_as_they_are_stored() -> None:
    sealed = {"db": {"secure": "v1:x"}}
    found = read(Memory(container("db"), accessories=SETTINGS.model_dump(mode="json"), sealed=sealed))
    assert (found.settings, found.sealed) == (SETTINGS, sealed)


def test_one_that_an_update_did_not_come_to_was_not_made() -> None:
    found = read(Memory(container("db"), accessories=SETTINGS.model_dump(mode="json")))
    assert found.made == {"db"}


def test_of_a_first_update_that_was_cut_off_nothing_is_known() -> None:
    assert read(Memory(container("db"))) == accessories_kept.Kept()


def test_a_stack_that_never_was_holds_nothing() -> None:
    assert read(Memory()) == accessories_kept.Kept()


@pytest.mark.parametrize(
    "document",
    [
        {"service": "shop-live", "environment": {"name": "accessories"}},
        {"accessories": SETTINGS.model_copy(update={"service": "other"}).model_dump(mode="json")},
    ],
)
def test_a_stack_of_something_else_is_left_alone(document: dict[str, Any]) -> None:
    with pytest.raises(StateError, match="holds something else"):
        read(Memory(container("db"), **document))


def test_a_configuration_that_cannot_be_read_is_left_alone() -> None:
    with pytest.raises(StateError, match="cannot be read"):
        read(Memory(container("db"), accessories={"service": "shop"}))


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ({}, []),
        ({"image": "postgres:17"}, ["image"]),
        ({"memory_mb": 64, "env": {"A": "b"}}, ["env", "memory_limit"]),
        ({"secrets_hmac": "ab"}, ["env_secrets"]),
        ({"command": ("postgres",), "volume": "/data"}, ["volume", "command"]),
    ],
)
def test_what_differs_is_told_by_the_keys_of_the_file(changed: dict[str, Any], keys: list[str]) -> None:
    assert accessories_kept.differences(DB, DB.model_copy(update=changed)) == keys
