"""The real engine, on programs without a provider."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pulumi
import pytest

from curtainup.engine import operations as engines
from curtainup.engine import program as programs
from curtainup.engine import settings_file
from curtainup.engine.aftermath import stack_locks
from curtainup.engine.aftermath.holders import Holder
from curtainup.engine.changes import OperationResult
from curtainup.engine.command import EngineCommand
from curtainup.engine.memory import StackMemory, memory_of
from curtainup.engine.operations import Engine
from curtainup.engine.processes import Processes
from curtainup.engine.state import FileState, Remembered
from curtainup.engine.workspace import Backend, Workspace
from curtainup.errors import Busy, EngineFailed, StateError
from curtainup.setup import engine as setup

pytestmark = pytest.mark.e2e
STACK = "shop-live"
VALUE = 'hunter2=b"$x\nü'


def program() -> None:
    """Hold as many things as `count` says, show `value`, and fail when told."""
    config = pulumi.Config("curtainup")
    if config.get("fail"):
        raise pulumi.RunError(config.require("fail"))
    if config.get("crash"):
        raise ZeroDivisionError("of the program")
    for number in range(config.get_int("count") or 0):
        pulumi.ComponentResource("test:index:Thing", f"thing-{number}")
    pulumi.export("value", config.get_object("value"))
    secret = config.get_secret("secret")
    if secret is not None:
        pulumi.export("length", pulumi.Output.unsecret(secret).apply(len))


@dataclass
class Remains:
    """Takes over what it is told to, and keeps what it was asked."""

    dead: bool = False
    cancelled: Event = field(default_factory=Event)
    settled: list[Remembered] = field(default_factory=list)

    def take_over(self, locks: Sequence[Path]) -> bool:
        if self.dead:
            for lock in locks:
                lock.unlink()
        return self.dead

    def cancel(self, _stack: str, _found: Sequence[Holder], cancel: Callable[[], object]) -> bool:
        if self.dead:
            cancel()
        return self.dead

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        self.settled.append(remembered)
        return []

    def has_strays(self, _config: Mapping[str, Any], _remembered: Remembered, *, creating: bool) -> bool:
        del creating
        return False

    def clear(self, _config: Mapping[str, Any], _remembered: Remembered) -> None:
        raise AssertionError("there is nothing to clear")


class Place:
    """A project with a file backend, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        (folder / "Pulumi.yaml").write_text("name: curtainup\nruntime: python\nstackConfigDir: settings\n")
        (folder / "settings").mkdir()
        self.repair = Remains()
        self.files = FileState(self.state)

    def engine(self, passphrase: str = "correct horse", url: str | None = "") -> Engine:
        """Return an engine; with no `url` it does not know that the backend is files."""
        place = f"file://{self.state}"
        env = {
            "PULUMI_BACKEND_URL": place,
            "PULUMI_CONFIG_PASSPHRASE": passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        backend = Backend(place if url == "" else url, None, env, passphrase.encode())
        workspace = Workspace(
            self.folder, self.folder, self.folder, self.folder / "settings", self.folder, backend
        )
        found = setup.locate()
        command = EngineCommand(found.command, found.version, Processes())

        def ask(arguments: list[str]) -> str:
            return engine.ask(arguments)

        engine = Engine(workspace, command, env, memory_of(workspace, ask), self.repair)
        return engine

    def memory(self, url: str | None = "") -> StackMemory:
        """Return the memory of such an engine."""
        return self.engine(url=url)._memory

    @property
    def settings(self) -> Path:
        return self.folder / "settings" / f"Pulumi.{STACK}.yaml"

    def lock(self) -> Path:
        """Lock the stack as an update of another machine does."""
        folder = self.state / ".pulumi" / "locks" / "organization" / "curtainup" / STACK
        folder.mkdir(parents=True, exist_ok=True)
        holder = {
            "pid": 4711,
            "username": "ann",
            "hostname": "elsewhere",
            "timestamp": "2020-04-15T08:19:00Z",
        }
        file = folder / "6f2f2a4e-0000-4000-8000-000000000000.json"
        file.write_text(json.dumps(holder))
        return file

    def checkpoint(self) -> Path:
        return self.state / ".pulumi" / "stacks" / "curtainup" / f"{STACK}.json"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(programs, "load", lambda _folder, _target: program)
    monkeypatch.setattr("sys.unraisablehook", programs._ignore_shutdown_noise)
    yield Place(tmp_path)
    gc.collect()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of each process of the engine."""
    calls: list[list[str]] = []
    run = EngineCommand.run_with_input

    def counting(self: EngineCommand, args: Sequence[str], *more: Any) -> Any:
        calls.append(list(args))
        return run(self, args, *more)

    monkeypatch.setattr(EngineCommand, "run_with_input", counting)
    return calls


def test_the_life_of_a_stack(place: Place, started: list[list[str]]) -> None:
    engine = place.engine()
    assert engine.remembered(STACK) == Remembered()
    first = engine.up(STACK, {"count": 2, "value": {"größe": [1, True]}})
    assert first == OperationResult({"create": 3}, {"value": {"größe": [1, True]}})
    assert first.changed

    started.clear()
    again = engine.up(STACK, {})
    assert again == OperationResult({"same": 3}, first.outputs), "keys that are not named stay as they were"
    assert not again.changed
    assert len(started) == 1, "one process an operation"

    before = {path: path.read_bytes() for path in (place.checkpoint(), place.settings)}
    planned = engine.preview(STACK, {"count": 1, "value": ["other"]})
    assert planned.changes["delete"] == 1
    assert planned.changed
    assert {path: path.read_bytes() for path in before} == before, "a preview changes nothing"

    engine.destroy(STACK)
    assert not engine.remembered(STACK).exists
    assert not place.settings.exists()


def test_a_text_that_looks_like_a_number_stays_a_text(place: Place) -> None:
    numbers = "0e12 1e400 12e3 0o7 017 0x1F 0b1 1_0 +1 .5 -.inf 1:30 2026-11-28 - -1"
    value = {name: [name, {"secret": name}] for name in [*numbers.split(), "", "y", "~", "null", "=", "- 1"]}
    engine = place.engine()
    assert engine.up(STACK, {"value": value}).outputs == {"value": value}
    place.settings.unlink()
    assert place.engine().up(STACK, {}).outputs == {"value": value}, "and when it was read from the state"


def test_a_lost_settings_file_is_restored_with_its_secrets(place: Place) -> None:
    engine = place.engine()
    sealed = engine.seal(STACK, {}, "secret", VALUE)
    assert engine.up(STACK, {"secret": sealed, "value": 1}).outputs["length"] == len(VALUE)
    place.settings.unlink()
    again = place.engine().up(STACK, {})
    assert again == OperationResult({"same": 1}, {"value": 1, "length": len(VALUE)})
    assert settings_file.read(place.settings).encryption.keys() == {"encryptionsalt"}


def test_a_preview_opens_what_was_sealed_before_the_first_update(place: Place) -> None:
    engine = place.engine()
    sealed = engine.seal(STACK, {}, "secret", VALUE)
    before = place.settings.read_bytes()
    assert engine.preview(STACK, {"secret": sealed}).changes == {"create": 1}
    assert engine.remembered(STACK).exists
    assert place.settings.read_bytes() == before
    assert engine.up(STACK, {"secret": sealed}).outputs["length"] == len(VALUE)


def test_a_sealed_value_stands_nowhere_in_plain(place: Place, started: list[list[str]]) -> None:
    engine = place.engine()
    sealed = engine.seal(STACK, {"value": 1}, "nested[0].secrets", VALUE)
    assert sealed.keys() == {"secure"}
    engine.up(STACK, {"secret": sealed})
    engine.up(STACK, {"secret": sealed, "value": 2})
    assert "hunter2" not in repr(started)
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []


def test_a_shared_key_is_made_once_and_kept_encrypted(place: Place) -> None:
    engine = place.engine()
    key = engine.shared_key(STACK)
    assert engine.shared_key(STACK) == key
    engine.up(STACK, {"value": 1})
    assert place.engine().shared_key(STACK) == key
    assert key not in place.settings.read_text() + place.checkpoint().read_text()


def test_a_program_that_refuses_is_quoted(place: Place) -> None:
    engine = place.engine()
    with pytest.raises(EngineFailed) as caught:
        engine.up(STACK, {"fail": "these settings are not valid"})
    assert "these settings are not valid" in caught.value.what
    assert caught.value.where == f"pulumi up of stack {STACK}"
    assert engine.up(STACK, {"fail": "", "value": 1}).outputs == {"value": 1}, "the next one goes on"


def test_a_program_that_crashes_is_a_failure_too(place: Place) -> None:
    with pytest.raises(EngineFailed) as caught:
        place.engine().up(STACK, {"crash": "yes"})
    assert "ZeroDivisionError: of the program" in f"{caught.value.what}\n{caught.value.detail}"


def test_a_wrong_passphrase_is_told(place: Place) -> None:
    place.engine().seal(STACK, {}, "secret", VALUE)
    with pytest.raises(StateError, match="passphrase does not open"):
        place.engine(passphrase="wrong").up(STACK, {"value": 1})


BACKENDS = pytest.mark.parametrize("url", ["", None], ids=["files", "no files"])


@BACKENDS
def test_a_lock_of_another_is_waited_for_and_never_broken(
    place: Place, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    monkeypatch.setattr(engines, "LOCK_PATIENCE", 0.0)
    monkeypatch.setattr(stack_locks, "LOCK_PAUSE", 0.01)
    engine = place.engine(url=url)
    engine.up(STACK, {"value": 1})
    lock = place.lock()
    _leave_pending(place)
    with pytest.raises(Busy) as caught:
        engine.up(STACK, {"value": 2})
    assert "ann@elsewhere (pid 4711)" in str(caught.value.detail)
    assert lock.exists()
    assert place.repair.settled == [], "what the other is creating is not cleared away"


@BACKENDS
def test_a_dead_lock_is_taken_over_and_what_was_pending_is_settled(place: Place, url: str | None) -> None:
    engine = place.engine(url=url)
    engine.up(STACK, {"value": 1})
    place.lock()
    _leave_pending(place)
    place.repair.dead = True
    assert engine.up(STACK, {"value": 2}).outputs["value"] == 2
    assert [len(one.pending) for one in place.repair.settled] == [1]
    assert engine.remembered(STACK).pending == ()


def test_the_lock_of_a_run_that_was_killed_while_it_made_the_stack_is_taken_over(place: Place) -> None:
    place.lock()
    place.repair.dead = True
    assert place.engine().up(STACK, {"value": 1}).outputs == {"value": 1}


def test_a_lock_on_a_stack_that_never_was_is_told_where_only_the_engine_sees_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine cancels nothing of a stack that it does not find."""
    monkeypatch.setattr(engines, "LOCK_PATIENCE", 0.0)
    monkeypatch.setattr(stack_locks, "LOCK_PAUSE", 0.01)
    place.lock()
    place.repair.dead = True
    with pytest.raises(Busy) as caught:
        place.engine(url=None).up(STACK, {"value": 1})
    assert "ann@elsewhere (pid 4711)" in str(caught.value.detail)


def test_an_interrupted_run_waits_for_no_lock(place: Place) -> None:
    engine = place.engine()
    engine.up(STACK, {"value": 1})
    place.lock()
    place.repair.cancelled.set()
    with pytest.raises(Busy):
        engine.up(STACK, {"value": 2})


def test_a_backend_without_files_is_asked(place: Place) -> None:
    engine = place.engine()
    asking = place.engine(url=None)
    assert asking.remembered(STACK) == Remembered()
    engine.up(STACK, {"count": 1, "value": {"deep": [1, "2"]}, "secret": engine.seal(STACK, {}, "x", VALUE)})
    known, asked = engine.remembered(STACK), asking.remembered(STACK)
    assert asked.config == known.config
    assert (asked.salt, asked.outputs, asked.pending) == (known.salt, known.outputs, known.pending)
    assert [one["urn"] for one in asked.resources] == [one["urn"] for one in known.resources]


def test_stacks_are_updated_side_by_side(place: Place) -> None:
    engine = place.engine()
    names = ["shop-staging", STACK]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: engine.up(name, {"value": [name]}), names))
    assert [one.outputs["value"] for one in done] == [[name] for name in names]


def test_stacks_are_listed_with_files_and_without(place: Place) -> None:
    asking = place.memory(url=None)
    assert asking.stacks() == []
    for name in ("shop-review-7", STACK):
        place.engine().up(name, {})
    assert asking.stacks() == place.memory().stacks() == [STACK, "shop-review-7"]


def _leave_pending(place: Place) -> None:
    """Leave the state as an update does that was cut off while it created something."""
    document = json.loads(place.checkpoint().read_text())
    thing = {
        "urn": f"urn:pulumi:{STACK}::curtainup::test:index:Thing::cut-off",
        "custom": False,
        "type": "test:index:Thing",
    }
    document["checkpoint"]["latest"]["pending_operations"] = [{"resource": thing, "type": "creating"}]
    place.checkpoint().write_text(json.dumps(document))
