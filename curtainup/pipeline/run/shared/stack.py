"""The lock of a state that is no folder: a stack of a project of its own, which the engine makes once.

`pulumi stack init` makes a stack that does not exist, and refuses one that does, in every backend: in buckets
and tables under a lock of Pulumi's own, in Pulumi's service at once. The stack's one output says who has it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import yaml
from pulumi.automation.errors import (
    CommandError,
    ConcurrentUpdateError,
    StackAlreadyExistsError,
    StackNotFoundError,
)

from curtainup.engine.aftermath.stack_locks import StackLocks
from curtainup.engine.cli_state import AskedState
from curtainup.engine.errors import translated
from curtainup.engine.recovery import Recovery
from curtainup.pipeline.run.holder import Holder, from_json
from curtainup.pipeline.run.shared.place import Taken
from curtainup.session import Session
from curtainup.util.files import write_atomically

PROJECT = "curtainup-lock"
ROOT = "pulumi:pulumi:Stack"
PATIENCE = 15.0
"""Seconds to wait for another one who takes the lock, or gives it back, at this moment."""
NOTHING_SEALED = {"PULUMI_CONFIG_PASSPHRASE": "the lock has no secrets"}
"""A stack in a bucket or table needs a passphrase, though nothing is encrypted with this one."""


class LockStack:
    """A stack that is there while somebody has the lock."""

    def __init__(self, session: Session, service: str) -> None:
        self._session = session
        self._stack = service
        self._folder = session.state.workspace.folder / "lock"
        self.where = f"stack {service} of the project {PROJECT}, in the backend"

    def take(self, this: Holder) -> bool:
        """Take the lock, unless somebody has it; see `Place`.

        Raises:
            CurtainupError: the backend does not answer, or refuses.

        """
        url = self._session.state.workspace.backend.url or ""
        sealed = "default" if url.startswith("https://") else "passphrase"
        command = ["stack", "init", self._stack, "--no-select", "--secrets-provider", sealed]
        try:
            self._patiently(command)
        except StackAlreadyExistsError:
            return False
        self._sign(this)
        return True

    def taken(self) -> Taken | None:
        """Return who has the lock; see `Place`."""
        try:
            exported = json.loads(self._asked(["stack", "export", "--stack", self._stack]))
        except StackNotFoundError:
            return None
        resources = (exported.get("deployment") or {}).get("resources") or [{}]
        holder = (resources[0].get("outputs") or {}).get("holder")
        return Taken(from_json(json.dumps(holder)) if holder else None)

    def drop(self, found: Taken) -> bool:
        """Remove the stack, if it is still the one that was found."""
        now = self.taken()
        if now != found:
            return now is None
        try:
            self._patiently(["stack", "rm", self._stack, "--yes"])
        except StackNotFoundError:
            return True
        return True

    def _sign(self, this: Holder) -> None:
        """Say who has the lock; without that, only a person could take it away again."""
        try:
            self._asked(["stack", "import", "--stack", self._stack], json.dumps(self._deployment(this)))
        except BaseException:
            self._patiently(["stack", "rm", self._stack, "--yes"])
            raise

    def _deployment(self, this: Holder) -> dict[str, Any]:
        urn = f"urn:pulumi:{self._stack}::{PROJECT}::{ROOT}::{PROJECT}-{self._stack}"
        root = {"urn": urn, "custom": False, "type": ROOT, "outputs": {"holder": asdict(this)}}
        manifest = {"time": datetime.now(UTC).isoformat(), "magic": "", "version": ""}
        return {"version": 3, "deployment": {"manifest": manifest, "resources": [root]}}

    def _patiently(self, command: list[str]) -> None:
        """Run a command that changes the stack, once nobody else is changing it."""
        run = self._session.run
        repair = Recovery(lambda: self._session.accounts.docker, run.report.warn, run.cancelled)
        locks = StackLocks(AskedState(self._asked), repair, self._run)
        try:
            locks.patiently(
                self._stack, time.monotonic() + PATIENCE, lambda: self._run(command), lambda: None
            )
        except (StackAlreadyExistsError, StackNotFoundError):
            raise
        except CommandError as error:
            raise translated(error, [], where=self.where) from error

    def _asked(self, command: list[str], text: str | None = None) -> str:
        try:
            return self._run(command, text)
        except StackNotFoundError:
            raise
        except (ConcurrentUpdateError, CommandError) as error:
            raise translated(error, [], where=self.where) from error

    def _run(self, command: list[str], text: str | None = None) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        project = {"name": PROJECT, "runtime": "python", "description": "Written by curtainup."}
        write_atomically(self._folder / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
        return self._session.state.engine.ask(["--cwd", str(self._folder), *command], text, NOTHING_SEALED)
