"""Writing the settings files of stacks, from what their last updates left and what the next one needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curtainup.engine import ejected, settings_file
from curtainup.engine.memory import StackMemory
from curtainup.engine.state import Remembered
from curtainup.engine.workspace import Workspace


class StackSettings:
    """The settings files of a service's stacks."""

    def __init__(self, workspace: Workspace, memory: StackMemory) -> None:
        self._workspace = workspace
        self._memory = memory
        self._kept: dict[str, dict[str, Any]] = {}

    def keep(self, stack: str, config: Mapping[str, Any]) -> None:
        """Put keys that no update has stored yet in each file that is written for a stack from now on."""
        self._kept[stack] = dict(config)

    def write(self, stack: str, config: Mapping[str, Any]) -> Path:
        """Write a stack's file and return its path; keys not in `config` stay as last deployed."""
        file, remembered = self._workspace.settings_file(stack), self._memory.read(stack)
        self.write_to(file, remembered, {**self._kept.get(stack, {}), **config})
        return file

    def write_to(self, file: Path, remembered: Remembered, config: Mapping[str, Any]) -> None:
        """Write a file for a stack that is remembered so; check that the program has our contract."""
        ejected.require_current(self._workspace.program_dir)
        edition = ejected.named(self._workspace.edition, remembered.config)
        settings_file.write(file, settings_file.restored(remembered, {**config, **edition}))
