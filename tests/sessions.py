"""A session on a folder of the test's own, over an engine that keeps in memory what it is told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curtainup import config as configuration
from curtainup.engine.changes import Change, OperationResult
from curtainup.engine.events import OnMade
from curtainup.engine.operations import Engine
from curtainup.engine.state import Remembered
from curtainup.engine.workspace import Backend, Workspace
from curtainup.errors import CurtainupError
from curtainup.session import Service, Session
from curtainup.util.secrets import Secret


class Memory(Engine):
    """An engine, and its own memory: it gives outputs as the program would, and fails when told.

    Attributes:
        ups: each update's stack and configuration.
        engines: by the same order, the Docker engine that the update was sent to; None is the usual one.
        variables: by the same order, what else the update's processes had in their environment.

    """

    sees_locks = False

    def __init__(self) -> None:
        self.known: dict[str, Remembered] = {}
        self.ups: list[tuple[str, dict[str, Any]]] = []
        self.engines: list[str | None] = []
        self.variables: list[dict[str, str]] = []
        self.sealings: list[str] = []
        self.failures: list[CurtainupError] = []
        self.unprotected: list[tuple[str, list[str]]] = []
        self.refreshed: list[int] = []
        self.previews: list[tuple[str, dict[str, Any]]] = []
        self.planned: tuple[Change, ...] = ()
        self.rest: Callable[[], None] = lambda: None

    def make_ready(self) -> None:
        """Nothing has to be loaded."""

    def remembered(self, stack: str) -> Remembered:
        return self.known.get(stack, Remembered())

    read = remembered

    def stacks(self) -> list[str]:
        return sorted(self.known)

    def locks(self, stack: str) -> list[Path]:
        del stack
        return []

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        del stack
        return iter(())

    def up(
        self,
        stack: str,
        config: Mapping[str, Any],
        on_progress: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
        on_made: OnMade | None = None,
    ) -> OperationResult:
        """Update the memory; `rest` is what the engine does after traffic has moved."""
        del on_progress
        self.engines.append((env or {}).get("DOCKER_HOST"))
        self.variables.append(dict(env or {}))
        if refresh:
            self.refreshed.append(len(self.ups))
        self.ups.append((stack, copy.deepcopy(dict(config))))
        if self.failures:
            raise self.failures.pop(0)
        if on_made is not None:
            on_made("curtainup:traffic:TrafficSwitch")
        self.rest()
        kept = {**self.remembered(stack).config, **{f"curtainup:{key}": one for key, one in config.items()}}
        outputs = _outputs(config)
        self.known[stack] = Remembered(exists=True, config=kept, outputs=outputs, resources=({}, {}))
        return OperationResult({"update": 1}, outputs)

    def preview(
        self,
        stack: str,
        config: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
    ) -> OperationResult:
        """Return what the test has said that every update would change."""
        del env, refresh
        self.previews.append((stack, copy.deepcopy(dict(config))))
        return OperationResult({}, {}, self.planned)

    def seal(self, stack: str, config: Mapping[str, Any], path: str, secret: str) -> Any:
        del stack, config, path
        self.sealings.append(secret)
        return {"secure": f"v1:{len(self.sealings)}"}

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        self.unprotected.append((stack, list(urns)))

    def destroy(
        self,
        stack: str,
        on_progress: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        del on_progress, env
        self.known.pop(stack)

    @property
    def traffics(self) -> list[dict[str, int]]:
        """The traffic of each update, in turn; releases without any are left out."""
        return [{one: share for one, share in config["traffic"].items() if share} for _, config in self.ups]


def _outputs(config: Mapping[str, Any]) -> dict[str, Any]:
    if "image" in config:
        settings = config["image"]
        if not settings["build"]:
            return {}
        digest = f"{settings['repository']}@sha256:{'d' * 64}"
        built = {"image_id": f"sha256:{'c' * 64}", "reference": digest if settings["push"] else ""}
        return {**built, "version": settings["version"], "tree": settings["tree"]}
    settings = config["environment"]
    if settings["target"] != "docker":
        return _cloud_outputs(settings, config["releases"])
    urls = {one["id"]: f"http://127.0.0.1:{one['address']['port']}" for one in config["releases"]}
    return {
        "url": f"http://{settings['host']}:{settings['port']}",
        "stats_url": f"http://127.0.0.1:{settings['stats_port']}",
        "release_urls": urls,
    }


def _cloud_outputs(settings: Mapping[str, Any], releases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    stack = f"{settings['service']}-{settings['name']}"
    return {
        "granted": settings.get("secret_names", []),
        "url": f"http://{stack}.example",
        "release_urls": {one["id"]: f"http://{one['id']}.{stack}.example" for one in releases},
        "environments": {one["id"]: f"{stack}-{one['id']}" for one in releases},
    }


@dataclass
class Notes:
    """A report that keeps what it is told."""

    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    progress: list[tuple[str, str]] = field(default_factory=list)
    finished: list[tuple[str, str, str]] = field(default_factory=list)

    def step_started(self, name: str, title: str) -> None:
        assert title
        self.started.append(name)

    def step_progress(self, name: str, text: str) -> None:
        self.progress.append((name, text))

    def step_finished(self, name: str, outcome: str, seconds: float, note: str) -> None:
        assert seconds >= 0
        self.finished.append((name, outcome, note))

    def info(self, text: str) -> None:
        self.infos.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def error(self, error: CurtainupError) -> None:
        self.warnings.append(error.what)


@dataclass
class World:
    """A session, and the parts of it that tests look at."""

    session: Session
    engine: Memory
    report: Notes


def world(
    folder: Path,
    text: str = "",
    secrets: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    engine: Memory | None = None,
    backend: Backend | None = None,
    edition: str = "",
    name: str = "shop",
) -> World:
    """Return a world whose service has this `pym-config.yaml`, besides its name.

    Args:
        folder: of the service.
        text: of its configuration.
        secrets: their values by name.
        environ: of the deployer.
        engine: that another world has had before, with what it remembers.
        backend: whose files are the memory; without it the engine is its own.
        edition: of the program.
        name: of the service.

    """
    (folder / "pym-config.yaml").write_text(f"name: {name}\n{text}")
    report, engine = Notes(), engine or Memory()
    config = configuration.load(folder, warn=report.warn)
    kept = backend or Backend(None, None, {}, b"a passphrase")
    place = Workspace(folder, folder, folder, folder, folder / ".curtainup", kept, edition)
    values = {name: Secret(value) for name, value in (secrets or {}).items()}
    session = Session.of(Service(config, environ or {}, values), place, report)
    session.state.__dict__["engine"] = engine
    if backend is None:
        session.state.__dict__["memory"] = engine
    return World(session, engine, report)
