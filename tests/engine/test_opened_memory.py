from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from curtainup.engine.opened_memory import OpenedMemory
from curtainup.engine.state import FileState, Remembered
from curtainup.errors import SetupError, StateError

STACK = "shop-live"


class Stacks(FileState):
    """Stacks with a salt each."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)

    def read(self, stack: str) -> Remembered:
        return Remembered(exists=True, salt=f"v1:{stack}") if stack in self.names else Remembered()


class Engine:
    """Encrypts with one passphrase, and counts."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.tried: list[str] = []

    def __call__(self, args: list[str], text: str | None = None) -> str:
        assert text == "opens"
        self.tried.append(args[-1])
        assert args[:3] == ["config", "set", "--secret"]
        assert "encryptionsalt: v1:" in Path(args[args.index("--config-file") + 1]).read_text()
        if self.error:
            raise create_command_error(CommandResult("", self.error, 255))
        return ""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("curtainup.setup.paths.cache_dir", lambda: tmp_path)
    return tmp_path


def test_a_wrong_passphrase_is_told_when_a_stack_is_read() -> None:
    memory = OpenedMemory(Stacks(STACK), b"wrong", Engine("error: incorrect passphrase"))
    with pytest.raises(StateError, match="passphrase does not open") as caught:
        memory.read(STACK)
    assert caught.value.where == f"the secrets of stack {STACK}"
    with pytest.raises(StateError):
        memory.read(STACK)
    with pytest.raises(StateError):
        memory.updates(STACK)


def test_one_that_opens_is_tried_once_and_noted(cache: Path) -> None:
    engine = Engine()
    for _ in range(2):
        memory = OpenedMemory(Stacks(STACK, "shop-image"), b"right", engine)
        assert memory.read(STACK).exists
        assert memory.read("shop-image").exists
    assert engine.tried == [STACK]
    [note] = (cache / "passphrases").iterdir()
    assert note.stat().st_mode & 0o777 == 0o600
    assert "right" not in note.read_text()


def test_a_note_is_of_one_passphrase_and_one_salt() -> None:
    OpenedMemory(Stacks(STACK), b"right", Engine()).read(STACK)
    wrong = OpenedMemory(Stacks(STACK), b"wrong", Engine("error: incorrect passphrase"))
    with pytest.raises(StateError):
        wrong.read(STACK)


def test_a_stack_that_the_run_has_made_is_not_tried() -> None:
    stacks, engine = Stacks(), Engine()
    memory = OpenedMemory(stacks, b"any", engine)
    assert not memory.read(STACK).exists
    stacks.names.append(STACK)
    assert memory.read(STACK).exists
    assert engine.tried == []


def test_without_an_engine_the_state_is_read_all_the_same() -> None:
    def missing(args: list[str], text: str | None = None) -> str:
        raise SetupError("there is no engine", detail=f"{args} {text}")

    assert OpenedMemory(Stacks(STACK), b"any", missing).read(STACK).exists
