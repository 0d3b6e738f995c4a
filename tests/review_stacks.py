"""A service on a file backend whose stacks and histories the test writes, as Pulumi lays them out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from curtainup.engine.workspace import Backend
from curtainup.environments.stack import configured
from curtainup.model.environment import Environment
from curtainup.session import Session
from tests import samples
from tests.sessions import Memory, world

NOW = datetime(2026, 4, 15, 8, 19, tzinfo=UTC)
URL = "http://127.0.0.1:8090"


class Removing(Memory):
    """An engine that removes stacks from the file backend, and fails for those that it is told to."""

    def __init__(self, stacks: Stacks) -> None:
        super().__init__()
        self._kept = stacks
        self.destroyed: list[str] = []
        self.refusing: dict[str, Exception] = {}

    def destroy(self, stack: str, on_progress: Any = None, env: Mapping[str, str] | None = None) -> None:
        del on_progress, env
        if stack in self.refusing:
            raise self.refusing[stack]
        self._kept.file(stack).unlink()
        self.destroyed.append(stack)


class Stacks:
    """The stacks of the service `shop`, and of others in the same backend."""

    def __init__(self, folder: Path, text: str = "", name: str = "shop", now: datetime = NOW) -> None:
        folder.mkdir(exist_ok=True)
        self.now = now
        self._root = folder / "state" / ".pulumi"
        backend = Backend(f"file://{folder / 'state'}", None, {}, b"a passphrase")
        self.engine = Removing(self)
        found = world(folder, text, engine=self.engine, backend=backend, name=name)
        self.session: Session = found.session
        self.warnings = found.report.warnings

    def add(
        self,
        name: str,
        *,
        age: timedelta = timedelta(days=1),
        ttl: int | None = 86400,
        service: str = "shop",
        stack: str | None = None,
    ) -> None:
        """Add an environment whose last update was that long ago."""
        stack = stack or f"{service}-{name}"
        settings = samples.environment(service=service, name=name, ttl=ttl)
        release = samples.release(1, version="v1")
        deployment = samples.deployment(100).model_copy(update={"releases": (release,)})
        config = configured(Environment(stack, settings), deployment)
        self._write(stack, {"url": URL, "generation": config["environment"]["generation"]})
        self.history(stack, self.now - age, config={f"curtainup:{key}": one for key, one in config.items()})

    def empty(self, stack: str) -> None:
        """Add a stack that was never updated."""
        self._write(stack, {})

    def spoil(self, stack: str) -> None:
        self.file(stack).write_text("{")

    def history(
        self, stack: str, at: datetime, kind: str = "update", config: Mapping[str, Any] | None = None
    ) -> None:
        """Add an entry to the history; without a configuration it has that of the one before."""
        folder = self._root / "history" / "curtainup" / stack
        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(folder.glob("*.history.json"))
        config = config or json.loads(before[-1].read_text())["config"]
        entry = {"kind": kind, "startTime": int(at.timestamp()), "config": config, "result": "succeeded"}
        (folder / f"{stack}-{len(before):03}.history.json").write_text(json.dumps(entry))

    def lock(self, stack: str, holder: Mapping[str, Any]) -> None:
        folder = self._root / "locks" / "organization" / "curtainup" / stack
        folder.mkdir(parents=True)
        (folder / "1.json").write_text(json.dumps(holder))

    def file(self, stack: str) -> Path:
        return self._root / "stacks" / "curtainup" / f"{stack}.json"

    def _write(self, stack: str, outputs: Mapping[str, Any]) -> None:
        root = {"type": "pulumi:pulumi:Stack", "urn": f"urn:pulumi:{stack}", "outputs": outputs}
        self.file(stack).parent.mkdir(parents=True, exist_ok=True)
        self.file(stack).write_text(json.dumps({"checkpoint": {"latest": {"resources": [root]}}}))
