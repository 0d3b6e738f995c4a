"""(b) one operation of the engine: the driver's way against the Automation API's usual calls."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

import docker
from pulumi import automation

from benchmarks.measure import spread
from benchmarks.report import Line, Results
from curtainup.engine.aftermath.holders import Holder
from curtainup.engine.command import EngineCommand, engine_environment
from curtainup.engine.operations import Engine
from curtainup.engine.processes import Processes
from curtainup.engine.state import FileState, Remembered
from curtainup.engine.workspace import Backend, Workspace
from curtainup.setup import engine as engines
from curtainup.setup import paths
from curtainup.setup.base_images.catalogue import REFERENCES

PROGRAM = Path(__file__).parent / "one_container"
PROJECT = "curtainup"

Operate = Callable[[str], None]
"""Takes the marker that the container is to have."""


@dataclass
class NoRepair:
    """Nothing is ever left behind by a run that was killed."""

    cancelled: Event

    def take_over(self, locks: Sequence[Path]) -> bool:  # noqa: ARG002
        return False

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Leave it."""
        return list(remembered.pending)

    def cancel(self, stack: str, found: Sequence[Holder], cancel: Callable[[], object]) -> bool:  # noqa: ARG002
        """Leave the locks."""
        return False

    def has_strays(self, config: Mapping[str, Any], remembered: Remembered, *, creating: bool) -> bool:  # noqa: ARG002
        """Return that there is nothing."""
        return False

    def clear(self, config: Mapping[str, Any], remembered: Remembered) -> None:
        """Leave everything."""


def operations(results: Results, folder: Path, runs: int) -> None:
    """Measure (b), taking turns, first with nothing to do and then with a container to replace."""
    with _stacks(folder) as (ours, usual):
        for operate in (ours, usual):
            operate("first")
        for what, marker in (("no-op", "first"), ("one container replaced", None)):
            seconds: dict[str, list[float]] = {"ours": [], "usual": []}
            for number in range(runs):
                wanted = marker or f"number {number}"
                seconds["ours"].append(_timed(ours, wanted))
                seconds["usual"].append(_timed(usual, wanted))
            for name, title in (
                ("ours", "Engine.up"),
                ("usual", "create_or_select, set_config, up, outputs"),
            ):
                ends = spread(seconds[name])
                results.lines.append(Line("b", f"{what}: {title}", ends.median, "s", range=ends))
            ratios = [one / two for one, two in zip(seconds["ours"], seconds["usual"], strict=True)]
            results.compare("b", f"{what}: ours / usual", ratios, "x", None)
            results.raw.setdefault("b", {})[what] = seconds


def _timed(operate: Operate, marker: str) -> float:
    started = time.monotonic()
    operate(marker)
    return time.monotonic() - started


@contextmanager
def _stacks(folder: Path) -> Iterator[tuple[Operate, Operate]]:
    """Give both ways to operate, on a stack of its own each; remove what they made at the end."""
    name = f"cu-bench-{uuid.uuid4().hex[:6]}"
    workspace = _workspace(folder)
    found = engines.locate()
    env = {**engine_environment(workspace, found, os.environ), "PULUMI_HOME": str(folder / "home")}
    config = {"name": name, "image": REFERENCES["base"]}
    command = EngineCommand(found.command, found.version, Processes())
    engine = Engine(workspace, command, env, FileState(folder / "state"), NoRepair(Event()))

    def ours(marker: str) -> None:
        outcome = engine.up("ours", {**config, "marker": marker})
        assert outcome.outputs["container"]

    def usual(marker: str) -> None:
        stack = automation.create_or_select_stack(
            "usual",
            PROJECT,
            import_module("stacks").run,
            opts=automation.LocalWorkspaceOptions(work_dir=str(workspace.project_dir), env_vars=env),
        )
        for key, value in {**config, "marker": marker}.items():
            stack.set_config(f"{PROJECT}:{key}", automation.ConfigValue(value))
        stack.up()
        assert stack.outputs()["container"].value

    path = os.environ["PATH"]
    os.environ["PATH"] = env["PATH"]
    try:
        yield ours, usual
    finally:
        os.environ["PATH"] = path
        wanted: dict[str, str | list[str] | bool] = {"label": f"curtainup.benchmark={name}"}
        client = docker.from_env()
        for container in client.containers.list(all=True, filters=wanted, ignore_removed=True):
            container.remove(force=True)
        client.close()


def _workspace(folder: Path) -> Workspace:
    project, state, home = folder / "project", folder / "state", folder / "home"
    for made in (project / "stacks", state, home):
        made.mkdir(parents=True)
    (home / "plugins").symlink_to(paths.pulumi_home() / "plugins")
    (project / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\nstackConfigDir: stacks\n")
    url = f"file://{state}"
    env = {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": "benchmark"}
    backend = Backend(url, None, env, b"benchmark")
    return Workspace(project, project, PROGRAM, project / "stacks", folder, backend)
