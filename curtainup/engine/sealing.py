"""Values that only a stack's own key can read, and that key's stand-in for backends without a passphrase."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from curtainup.engine import settings_file
from curtainup.engine.memory import StackMemory
from curtainup.engine.stack_settings import StackSettings
from curtainup.errors import StateError

Cli = Callable[[list[str], str | None], str]
"""Runs a command of the CLI with a text on its standard input, and returns its output."""

SHARED_KEY = 32
"""Bytes of the random key that a stack's configuration keeps."""


class Sealing:
    """Encrypts values of stacks, each with the key of its stack."""

    def __init__(
        self, memory: StackMemory, settings: StackSettings, create: Callable[[str], None], cli: Cli
    ) -> None:
        """Seal for the stacks of a service.

        Args:
            memory: reads the state of stacks.
            settings: writes their settings files.
            create: makes a stack that does not exist.
            cli: runs commands of the CLI.

        """
        self._memory = memory
        self._settings = settings
        self._create = create
        self._cli = cli
        self._shared_keys: dict[str, str] = {}

    def seal(self, stack: str, config: Mapping[str, Any], path: str, secret: str) -> Any:
        """Return a value as a settings file stores it, encrypted. See `Engine.seal`."""
        if not self._memory.read(stack).exists:
            self._create(stack)
        file = self._settings.write(stack, config)
        key = f"{settings_file.NAMESPACE}{path}"
        self._cli(["config", "set", "--secret", "--path", key, "--stack", stack], secret)
        value: Any = settings_file.read(file).config
        for part in path.replace("]", "").replace("[", ".").split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        return value

    def shared_key(self, stack: str) -> str:
        """Return a stack's random key. See `Engine.shared_key`."""
        if stack in self._shared_keys:
            return self._shared_keys[stack]
        name = f"{settings_file.NAMESPACE}hmac_key"
        if name in self._memory.read(stack).config:
            self._settings.write(stack, {})
            return _whole(self._cli(["config", "get", name, "--stack", stack], None).strip(), stack)
        key = self._shared_keys[stack] = secrets.token_hex(SHARED_KEY)
        self._settings.keep(stack, {"hmac_key": self.seal(stack, {}, "hmac_key", key)})
        return key


def _whole(key: str, stack: str) -> str:
    """Return a shared key; raise StateError if it is not whole, as everybody could test guesses with it."""
    if len(key) < 2 * SHARED_KEY:
        raise StateError(
            f"the key for the secrets' hashes is {'cut off' if key else 'empty'}",
            where=f"curtainup:hmac_key of stack {stack}",
            consequence="curtainup cannot tell whether a secret has changed, so nothing was done",
            fix=f"put the settings of {stack} back: curtainup pulumi config refresh --stack {stack}",
        )
    return key
