from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands.doctor import engines, machine
from curtainup.platforms.docker.hosts import Own
from curtainup.setup.docker_engine import DEFAULT_ADDRESS


@pytest.mark.docker
def test_an_engine_that_only_builds_is_looked_at_beside_the_hosts() -> None:
    """`make test` sets this machine up first."""
    found = machine.look_at(engines.builder(Own(DEFAULT_ADDRESS)))
    assert [(check.name, check.ok) for check in found] == [
        ("Docker engine here", True),
        ("base image here", True),
    ]


def test_without_one_there_is_a_fix(tmp_path: Path) -> None:
    engine, image = machine.look_at(engines.builder(Own(f"unix://{tmp_path}/docker.sock")))
    assert not engine.ok
    assert engine.fix
    assert image.fix == "mend Docker engine here first"
