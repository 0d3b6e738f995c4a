"""A stand-in for the plugin: it says a port, and serves one byte to each who connects."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from curtainup.engine import shared_plugin
from curtainup.engine.shared_plugin import NONE, SharedPlugin

PLUGIN = """\
#!{python}
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b"!")
    connection.recv(1)
    connection.close()
"""
SILENT = "#!/bin/sh\necho no port >&2\n"


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    return _executable(tmp_path / "plugin", PLUGIN.format(python=sys.executable))


@pytest.fixture
def plugin(binary: Path) -> Iterator[SharedPlugin]:
    one = SharedPlugin("docker", binary, os.environ)
    yield one
    one.stop()


def _executable(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o755)
    return file


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _serves(port: int, seconds: float = 60) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            return connection.recv(1) == b"!"
        except TimeoutError:
            return False


def _processes(binary: Path) -> list[psutil.Process]:
    """The plugin and its keeper."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if str(binary) in (one.info["cmdline"] or [])]


def _plugins(binary: Path) -> list[psutil.Process]:
    return [one for one in _processes(binary) if one.info["cmdline"][0] != "/bin/sh"]


def _plugin_of(binary: Path) -> psutil.Process:
    [one] = _plugins(binary)
    return one


def _sleeps(binary: Path) -> bool:
    """Whether the plugin is there and sleeps; until then there may be two shells."""
    return [one.status() for one in _plugins(binary)] == [psutil.STATUS_STOPPED]


def test_operations_in_turn_have_one_process(plugin: SharedPlugin, binary: Path) -> None:
    with plugin.lent() as first:
        assert _serves(first.ports["docker"])
        process = _plugin_of(binary)
    with plugin.lent() as second:
        assert second.ports == first.ports
        assert _serves(second.ports["docker"])
        assert _plugin_of(binary) == process
    assert not first.has_crashed()


def test_a_plugin_that_an_engine_cancels_at_its_end_is_followed_by_one_that_waits(binary: Path) -> None:
    plugin = SharedPlugin("kubernetes", binary, os.environ)
    with plugin.lent() as first:
        assert _serves(first.ports["kubernetes"])
        process = _plugin_of(binary)
    assert not process.is_running()
    _wait(lambda: _sleeps(binary))
    following = _plugin_of(binary)
    with plugin.lent() as second:
        assert _serves(second.ports["kubernetes"])
        assert _plugin_of(binary) == following
    plugin.stop()
    assert _processes(binary) == []


def test_it_sleeps_until_the_first_operation_has_it(plugin: SharedPlugin, binary: Path) -> None:
    plugin.start()
    _wait(lambda: _sleeps(binary))
    with plugin.lent() as lent:
        assert _serves(lent.ports["docker"])


def test_one_that_is_not_up_yet_is_not_waited_for_at_the_end(tmp_path: Path) -> None:
    slow = _executable(tmp_path / "slow", "#!/bin/sh\nexec sleep 60\n")
    plugin = SharedPlugin("kubernetes", slow, os.environ)
    plugin.start()
    began = time.monotonic()
    plugin.stop()
    assert time.monotonic() - began < shared_plugin.START_SECONDS / 2


def test_an_operation_beside_another_gets_none(plugin: SharedPlugin) -> None:
    """The plugin keeps one configuration."""
    with plugin.lent() as first, plugin.lent() as second:
        assert first.ports
        assert second is NONE


def test_it_answers_nobody_while_no_operation_has_it(plugin: SharedPlugin, binary: Path) -> None:
    with plugin.lent() as lent:
        pass
    assert _plugin_of(binary).status() == psutil.STATUS_STOPPED
    assert not _serves(lent.ports["docker"], seconds=0.2)


@pytest.mark.parametrize("stays", [True, False])
def test_one_that_somebody_has_called_meanwhile_is_not_used_again(
    plugin: SharedPlugin, binary: Path, *, stays: bool
) -> None:
    """What was sent to it is never read, not even if the caller has gone."""
    with plugin.lent() as lent:
        old = _plugin_of(binary)
    stranger = socket.create_connection(("127.0.0.1", lent.ports["docker"]))
    stranger.sendall(b"an order")
    if not stays:
        stranger.close()
    with plugin.lent() as next_one:
        assert next_one.ports != lent.ports
        assert not old.is_running()
        assert _serves(next_one.ports["docker"])
    stranger.close()


def test_one_to_which_somebody_is_still_connected_is_ended(
    plugin: SharedPlugin, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_plugin, "CLOSING_SECONDS", 0.05)
    with plugin.lent() as lent:
        stranger = socket.create_connection(("127.0.0.1", lent.ports["docker"]))
    assert _processes(binary) == []
    stranger.close()


def test_a_crash_between_two_operations_is_a_fresh_start(plugin: SharedPlugin, binary: Path) -> None:
    with plugin.lent():
        pass
    killed = _plugin_of(binary)
    killed.kill()
    _wait(lambda: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE)
    with plugin.lent() as next_one:
        assert _serves(next_one.ports["docker"])
        assert not next_one.has_crashed()


def test_a_crash_during_an_operation_is_known_and_the_next_one_is_a_fresh_start(
    plugin: SharedPlugin, binary: Path
) -> None:
    with plugin.lent() as lent:
        _plugin_of(binary).kill()
        _wait(lent.has_crashed)
    with plugin.lent() as next_one:
        assert _serves(next_one.ports["docker"])


def test_where_it_does_not_start_engines_have_their_own(tmp_path: Path) -> None:
    for binary in (_executable(tmp_path / "silent", SILENT), tmp_path / "none"):
        plugin = SharedPlugin("docker", binary, os.environ)
        with plugin.lent() as lent:
            assert lent is NONE
        assert _processes(binary) == []


def test_it_ends_with_an_operation_that_fails(plugin: SharedPlugin, binary: Path) -> None:
    """It may be at work for that operation; it must not go on with it beside the next one."""
    with pytest.raises(ZeroDivisionError), plugin.lent():
        _ = 1 // 0
    assert _processes(binary) == []
    with plugin.lent() as lent:
        assert _serves(lent.ports["docker"])


DRIVER = """\
import os, subprocess, sys, time
from pathlib import Path
from curtainup.engine.shared_plugin import SharedPlugin
plugin = SharedPlugin("docker", Path(sys.argv[1]), os.environ)
with plugin.lent() as lent:
    engine = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    if sys.argv[2] == "engine":
        subprocess.Popen(engine, stdin=0, start_new_session=True, pass_fds=lent.descriptors)
    if sys.argv[2] != "asleep":
        print("ready", flush=True)
        time.sleep(600)
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def _driver(binary: Path, state: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a driver, which has lent its plugin, or lends it to an engine that lives as long as its input."""
    command = [sys.executable, "-c", DRIVER, str(binary), state]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"ready\n"
        yield driver
        driver.kill()


@pytest.mark.parametrize("state", ["asleep", "awake"])
def test_nothing_outlives_a_driver_that_is_killed(binary: Path, state: str) -> None:
    with _driver(binary, state):
        assert len(_processes(binary)) == 3, "the driver, the keeper and the plugin"
    _wait(lambda: _processes(binary) == [])


def test_an_engine_that_outlives_its_driver_keeps_the_plugin(binary: Path) -> None:
    with _driver(binary, "engine") as driver:
        driver.kill()
        driver.wait()
        time.sleep(0.2)
        assert len(_processes(binary)) == 2, "the keeper and the plugin"
    _wait(lambda: _processes(binary) == [])


def test_it_ends_with_a_driver_that_is_interrupted(binary: Path) -> None:
    with _driver(binary, "asleep") as driver:
        driver.send_signal(signal.SIGINT)
        driver.wait()
        assert _processes(binary) == []


def test_ctrl_c_in_the_terminal_does_not_reach_it(plugin: SharedPlugin, binary: Path) -> None:
    with plugin.lent():
        assert os.getsid(0) not in {os.getsid(one.pid) for one in _processes(binary)}
