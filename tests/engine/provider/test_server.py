"""The provider as the Pulumi engine sees it: previews, updates, refreshes and refusals."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation.errors import CommandError

from components.docker.traffic import Backend, TrafficSwitch, TrafficSwitchArgs
from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
from curtainup.engine.provider.servicer import one_line
from curtainup.errors import EngineFailed
from curtainup.setup import engine
from tests.engine.provider.world import World, closing, get

# The SDK abandons the event loop of an inline program whose resource failed; the fixture collects it here.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

REPOSITORY = Path(__file__).parents[3]
PLUGIN = f"""\
#!/bin/sh
PYTHONPATH={REPOSITORY} exec {sys.executable} -m curtainup.engine.provider "$@"
"""
PROJECT = """\
name: cu-proxy-test
runtime: python
plugins:
  providers:
    - {{name: curtainup, path: {folder}}}
"""


@dataclass
class Program:
    """A stack that holds one switch, and what the switch is to be next."""

    stack: automation.Stack
    args: TrafficSwitchArgs

    def wants(self, **changes: Any) -> automation.Stack:
        self.args = replace(self.args, **changes)
        return self.stack


@pytest.fixture
def program(world: World, tmp_path: Path) -> Iterator[Program]:
    found = engine.locate()
    plugin = tmp_path / "pulumi-resource-curtainup"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    (tmp_path / "Pulumi.yaml").write_text(PROJECT.format(folder=tmp_path))
    (tmp_path / "state").mkdir()
    workspace = automation.LocalWorkspace(
        work_dir=str(tmp_path),
        program=lambda: declare(made),
        pulumi_command=EngineCommand(found.command, found.version, Processes()),
        env_vars={
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        },
    )
    made = Program(automation.Stack.create_or_select(world.stack, workspace), switch_args(world))
    yield made
    gc.collect()


def declare(program: Program) -> None:
    TrafficSwitch("traffic", program.args)


def switch_args(world: World) -> TrafficSwitchArgs:
    return TrafficSwitchArgs(
        proxy=world.proxy,
        proxy_id=world.proxy_id,
        backends=[
            Backend(f"r{number}", f"{world.subnet}.{number + 2}:8000", world.container(number), 64)
            for number in (1, 2)
        ],
        traffic={"r1": 100, "r2": 0},
        request_timeout=30,
        drain_timeout=30,
        generation=1,
    )


@pytest.mark.e2e
def test_the_life_of_a_switch(world: World, program: Program) -> None:
    stack = program.stack
    assert changes(stack.preview) == {"create": 2}
    assert changes(stack.up) == {"create": 2}
    assert changes(stack.up) == {"same": 2}
    shifted = program.wants(traffic={"r1": 0, "r2": 100}, generation=2)
    assert changes(shifted.preview) == {"update": 1, "same": 1}
    assert changes(shifted.up) == {"update": 1, "same": 1}
    with closing(world.connect()) as user:
        assert get(user) == (200, "r2", "r2")
        stack.destroy()
        assert get(user) == (200, "r2", "r2")


@pytest.mark.e2e
def test_a_weight_changed_by_hand_is_mended_after_a_refresh(world: World, program: Program) -> None:
    program.stack.up()
    world.say("set server releases/r2 weight 50")
    assert "~ traffic" in program.stack.refresh(diff=True).stdout
    assert "r2: 50 => 0" in program.stack.preview(diff=True).stdout
    assert changes(program.stack.up) == {"update": 1, "same": 1}
    assert changes(program.stack.refresh) == {"same": 2}


@pytest.mark.e2e
def test_a_changed_file_is_mended_after_a_refresh(world: World, program: Program) -> None:
    program.stack.up()
    world.run("echo >>/etc/curtainup/haproxy.cfg")
    program.stack.refresh()
    assert "~ config" in program.stack.preview(diff=True).stdout
    program.stack.up()
    assert changes(program.stack.refresh) == {"same": 2}


@pytest.mark.e2e
def test_a_proxy_that_is_gone_is_forgotten_by_a_refresh(world: World, program: Program) -> None:
    program.stack.up()
    world.api.remove_container(world.proxy, force=True)
    with pytest.raises(CommandError, match=r"does not exist; no traffic was moved; fix: pulumi up --refresh"):
        program.wants(traffic={"r1": 0, "r2": 100}).up()
    assert changes(program.stack.refresh) == {"delete": 1, "same": 1}


@pytest.mark.e2e
def test_older_settings_cannot_move_traffic_back(program: Program) -> None:
    program.wants(generation=5).up()
    with pytest.raises(CommandError) as failed:
        program.wants(generation=4, traffic={"r1": 0, "r2": 100}).up()
    assert "fix: pulumi config refresh --force" in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_the_plugin_ends_quietly_on_a_signal(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    argv = [sys.executable, "-m", "curtainup.engine.provider", "127.0.0.1:1"]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout is not None
        assert plugin.stderr is not None
        assert int(plugin.stdout.readline()) > 0
        plugin.send_signal(signal.SIGINT)
        assert plugin.stderr.read() == ""
        assert plugin.wait() == 0


def test_errors_are_one_line() -> None:
    error = EngineFailed(
        "it broke", where="proxy p", consequence="nothing moved", fix="mend it", detail="a\nb"
    )
    assert one_line(error) == "proxy p: it broke; nothing moved; fix: mend it; (a b)"


def changes(operation: Callable[..., Any]) -> dict[str, int]:
    """Run an operation and return how many resources by kind of change."""
    done = operation()
    if hasattr(done, "change_summary"):
        return {str(kind): count for kind, count in done.change_summary.items()}
    return dict(done.summary.resource_changes)
