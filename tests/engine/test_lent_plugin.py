"""Which operations have the plugin that updates share, and what becomes of one whose plugin crashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from curtainup.engine.aftermath.stack_locks import Repair
from curtainup.engine.changes import OperationResult
from curtainup.engine.command import EngineCommand
from curtainup.engine.memory import StackMemory
from curtainup.engine.operations import Engine
from curtainup.engine.shared_plugin import NONE, Lent, SharedPlugin
from curtainup.engine.stack_settings import StackSettings
from curtainup.engine.state import Remembered
from curtainup.engine.workspace import Workspace
from curtainup.errors import EngineFailed
from curtainup.session import start
from curtainup.setup import provider

STACK, NEW = "shop-live", "shop-review-7"
REGISTRY = {"kind": "local", "host": "127.0.0.1:5000"}
PORTS = {"docker": 7}


class Plugin(SharedPlugin):
    """Lends a port, behind which nothing listens."""

    def __init__(self, provider: str = "docker", *, crashes: bool = False) -> None:
        self.provider = provider
        self._crashes = crashes

    def start(self) -> None:
        """Do nothing."""

    @contextmanager
    def lent(self) -> Iterator[Lent]:
        """Lend the port."""
        yield Lent(PORTS, (), lambda: self._crashes)


class Operations(Engine):
    """Keeps what plugin each operation has; the first ones fail.

    Attributes:
        had: the ports of the plugins that the operations were lent.

    """

    def __init__(self, plugin: SharedPlugin | None, failing: int = 0) -> None:
        super().__init__(
            create_autospec(Workspace, instance=True),
            create_autospec(EngineCommand, instance=True),
            {},
            create_autospec(StackMemory, instance=True),
            create_autospec(Repair, instance=True),
            plugin=plugin,
        )
        self._settings = create_autospec(StackSettings, instance=True)
        self._failing = failing
        self.had: list[Mapping[str, int]] = []

    def remembered(self, stack: str) -> Remembered:
        """Return a stack that has a registry, and is reached by a context; one that is new has nothing."""
        if stack == NEW:
            return Remembered()
        known = {"curtainup:registry": REGISTRY, "curtainup:environment": {"context": "production"}}
        return Remembered(exists=True, config=known)

    def _forget(self, stack: str) -> None:
        del stack

    def _operate(self, *arguments: Any, **named: Any) -> OperationResult:
        lent = next((one for one in (*arguments, *named.values()) if isinstance(one, Lent)), NONE)
        self.had.append(lent.ports)
        if len(self.had) <= self._failing:
            raise EngineFailed("the plugin is gone")
        return OperationResult({}, {}, ())


@pytest.mark.parametrize("config", [{}, {"registry": REGISTRY}], ids=["environment", "same registry"])
def test_an_update_has_the_shared_plugin(config: dict[str, Any]) -> None:
    engine = Operations(Plugin())
    engine.up(STACK, config)
    assert engine.had == [PORTS]


def test_what_could_configure_the_plugin_twice_has_one_of_its_own() -> None:
    engine = Operations(Plugin())
    engine.up(STACK, {}, env={"DOCKER_CONFIG": "/tmp/login"})
    engine.up(STACK, {"registry": {**REGISTRY, "host": "registry.example"}})
    engine.preview(STACK, {})
    engine.destroy(STACK)
    assert engine.had == [{}] * 4


@pytest.mark.parametrize(
    ("stack", "config", "has_it"),
    [
        (STACK, {"environment": {"context": "production"}}, True),
        (NEW, {"environment": {"context": "test"}}, True),
        (STACK, {"environment": {"context": "moved"}}, False),
        (STACK, {"registry": REGISTRY}, False),
    ],
    ids=["as before", "new", "by another context", "the image's"],
)
def test_a_cluster_s_plugin_is_for_updates_that_reach_it_in_one_way(
    stack: str, config: dict[str, Any], *, has_it: bool
) -> None:
    engine = Operations(Plugin("kubernetes"))
    engine.up(stack, config)
    assert engine.had == [PORTS if has_it else {}]


def test_an_update_whose_plugin_crashes_is_made_once_more_with_one_of_its_own() -> None:
    engine = Operations(Plugin(crashes=True), failing=1)
    engine.up(STACK, {})
    assert engine.had == [PORTS, {}]


def test_an_update_that_fails_twice_has_failed() -> None:
    engine = Operations(Plugin(crashes=True), failing=2)
    with pytest.raises(EngineFailed):
        engine.up(STACK, {})
    assert engine.had == [PORTS, {}]


def test_an_update_that_fails_for_another_reason_is_not_repeated() -> None:
    engine = Operations(Plugin(), failing=1)
    with pytest.raises(EngineFailed):
        engine.up(STACK, {})
    assert engine.had == [PORTS]


@pytest.mark.parametrize(
    ("target", "edition", "built", "is_shared"),
    [
        ("docker", "", True, True),
        ("kubernetes", "", True, True),
        ("gcp-cloud-run", "", True, False),
        ("docker", "c0ffee", True, False),
        ("docker", "", False, False),
    ],
)
def test_only_the_plugin_that_set_up_has_built_is_shared_and_with_no_edited_program(
    target: str, edition: str, built: bool, is_shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "built", lambda _plugin: tmp_path if built else None)
    workspace = create_autospec(Workspace, instance=True, edition=edition)
    found = start.shared_plugin(target, workspace, {})
    assert (found.provider if found else None) == (target if is_shared else None)
