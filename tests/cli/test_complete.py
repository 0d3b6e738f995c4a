from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand

from curtainup.cli.shared import complete

CONFIG = """\
processes: {worker: work, clock: tick}
environments:
  live: {}
  staging:
    processes: {relay: relay}
  review: {}
  quiet:
    processes: {}
"""


def context(folder: Path, env: str | None = None) -> typer.Context:
    """The options that somebody has written before pressing Tab."""
    found = typer.Context(TyperCommand("exec"))
    found.params = {"service": folder, "env": env}
    return found


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "pym-config.yaml").write_text(CONFIG)
    return tmp_path


def test_environments_are_those_of_the_configuration(service: Path) -> None:
    assert complete.environments(context(service), "") == ["staging", "live", "quiet"]
    assert complete.environments(context(service), "q") == ["quiet"]


@pytest.mark.parametrize(
    ("env", "begun", "offered"),
    [
        (None, "", ["clock", "worker"]),
        ("live", "w", ["worker"]),
        ("staging", "", ["relay"]),
        ("quiet", "", []),
        ("unknown", "", ["clock", "worker"]),
    ],
)
def test_processes_are_those_of_the_environment(
    service: Path, env: str | None, begun: str, offered: list[str]
) -> None:
    assert complete.processes(context(service, env), begun) == offered


@pytest.mark.parametrize(
    "text", [None, "", "[1]", "processes: [1]\nenvironments: 3", "a: {", "environments: {live: 1}"]
)
def test_what_cannot_be_read_offers_the_usual_ones(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pym-config.yaml").write_text(text)
    assert complete.environments(context(tmp_path), "") == ["staging", "live"]
    assert complete.processes(context(tmp_path), "") == []
