"""Whether the passphrase opens a stack's secrets, known before anything is said or done about the stack.

Only what is decrypted shows a wrong passphrase, and most commands decrypt nothing: with one, a deployment
would take every secret for a changed one. So the first stack that a command reads is tried. That it opens is
noted, by a slow hash, as the engine takes a second.
"""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from curtainup.engine import settings_file
from curtainup.engine.memory import StackMemory
from curtainup.engine.settings_file import StackSettings
from curtainup.engine.state import Remembered
from curtainup.errors import SetupError
from curtainup.setup import paths
from curtainup.util.files import write_atomically


class OpenedMemory:
    """The state of stacks, read with a passphrase that has been tried."""

    def __init__(
        self, memory: StackMemory, passphrase: bytes, ask: Callable[[list[str], str | None], str]
    ) -> None:
        """Try a passphrase on the first stack that is read.

        Args:
            memory: reads the stacks.
            passphrase: that the engine gets.
            ask: runs a command of the CLI with a text on its standard input, and returns its output.

        """
        self.sees_locks = memory.sees_locks
        self._memory = memory
        self._passphrase = passphrase
        self._ask = ask
        self._absent: set[str] = set()
        self._is_tried = False

    def read(self, stack: str) -> Remembered:
        """Return the state of a stack; `Remembered()` if the stack does not exist.

        Raises:
            StateError: the passphrase does not open its secrets.

        """
        remembered = self._memory.read(stack)
        if not remembered.exists:
            self._absent.add(stack)
        if remembered.salt and not self._is_tried:
            if stack not in self._absent:  # else this run has made it since
                self._try(stack, remembered.salt)
            self._is_tried = True
        return remembered

    def stacks(self) -> list[str]:
        """Return the names of all stacks; see `StackMemory`."""
        return self._memory.stacks()

    def locks(self, stack: str) -> list[Path]:
        """Return the files of a stack's locks; see `StackMemory`."""
        return self._memory.locks(stack)

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Yield the updates of a stack; see `StackMemory`.

        Raises:
            StateError: the passphrase does not open its secrets.

        """
        if not self._is_tried:
            self.read(stack)
        return self._memory.updates(stack)

    def _try(self, stack: str, salt: str) -> None:
        note = paths.cache_dir() / "passphrases" / hashlib.sha256(salt.encode()).hexdigest()[:32]
        slow = hashlib.scrypt(self._passphrase, salt=salt.encode(), n=2**13, r=8, p=1).hex()
        with suppress(OSError):
            if hmac.compare_digest(note.read_text(), slow):
                return
        try:
            self._encrypt(stack, salt)
        except SetupError:
            return  # there is no engine, and whoever needs it is told so
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(note, slow, 0o600)

    def _encrypt(self, stack: str, salt: str) -> None:
        """Have the engine encrypt something, in a settings file of nobody's."""
        from pulumi.automation.errors import CommandError

        from curtainup.engine.errors import translated

        with tempfile.TemporaryDirectory(prefix="curtainup-") as folder:
            file = Path(folder) / f"Pulumi.{stack}.yaml"
            settings_file.write(file, StackSettings({}, {"encryptionsalt": salt}))
            key = f"{settings_file.NAMESPACE}passphrase"
            command = ["config", "set", "--secret", key, "--config-file", str(file), "--stack", stack]
            try:
                self._ask(command, "opens")
            except CommandError as error:
                raise translated(error, [], where=f"the secrets of stack {stack}") from error
