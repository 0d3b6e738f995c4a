"""A command that is under way: watched by the lines that it prints, interrupted, killed, or left to end."""

from __future__ import annotations

import io
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

import psutil

from tests.e2e.service import PATIENCE, Finished, Service

POLL = 0.02
STEP = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""How a step of GitHub's begins."""
CANCELLED = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5))
"""What a step of GitHub's that is cancelled gets, and the seconds for which it may go on after that."""
HELD = '''\
"""Waits at the gate that HOLD_AT names until someone removes the file HELD, for five minutes at most."""

import os
import time
from pathlib import Path

from test_told_{folder} import gate


def test_goes_on_when_told():
    if gate() != os.environ.get("HOLD_AT"):
        return
    held = Path(os.environ["HELD"])
    held.touch()
    deadline = time.monotonic() + 300
    while held.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
'''


class Underway:
    """A `curtainup` command of a service, started and not waited for."""

    def __init__(
        self,
        service: Service,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        hold_at: str = "",
        in_a_step: bool = False,
    ) -> None:
        command = service.command(*arguments)
        self.held = service.home / f"held-{time.monotonic_ns()}"
        hold = {"HOLD_AT": hold_at, "HELD": str(self.held)}
        self.process = subprocess.Popen(
            [*STEP, f"exec {shlex.join(command)}"] if in_a_step else command,
            cwd=service.place(),
            env=service.variables({**hold, **(env or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._out, self._err = io.StringIO(), io.StringIO()
        pairs = ((self.process.stdout, self._out), (self.process.stderr, self._err))
        self._readers = [threading.Thread(target=_read, args=pair, daemon=True) for pair in pairs]
        for reader in self._readers:
            reader.start()

    @property
    def err(self) -> str:
        """What it has said so far."""
        return self._err.getvalue()

    def wait_for_step(self, name: str) -> None:
        """Wait until a step has begun."""
        self.wait_until(lambda: f"] {name}: " in self.err, f"step {name}")

    def wait_until_held(self) -> None:
        """Wait until the gate that it is to be held at runs its tests."""
        self.wait_until(self.held.exists, "the gate")

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something has happened; it is an error if the command ends before."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert self.process.poll() is None, f"it ended before {what}:\n{self.err}"
            assert time.monotonic() < deadline, f"{what} never came:\n{self.err}"
            time.sleep(POLL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the driver alone."""
        self.process.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """The driver and every process that it has started."""
        driver = psutil.Process(self.process.pid)
        return [driver, *driver.children(recursive=True)]

    def cancel(self) -> None:
        """Stop it as a runner of GitHub's stops a step: ask twice, and kill what is left."""
        for number, seconds in CANCELLED:
            if self.process.poll() is None:
                self.send(number)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(seconds)
        if self.process.poll() is None:
            self.lose_power()

    def lose_power(self) -> None:
        """End driver, engine, providers and tests at once, as nothing can prevent."""
        for one in self.family():
            _send(one, signal.SIGSTOP)  # from its father on, so that none starts another
        for one in self.family():
            _send(one, signal.SIGKILL)
        self.process.wait()

    def finish(self, code: int) -> Finished:
        """Wait for its end and check its exit code."""
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.err}") from None
        self.close()
        done = Finished(found, self._out.getvalue(), self.err)
        assert found == code, f"exit code {found}, not {code}:\n{done.out}\n{done.err}"
        return done

    def close(self) -> None:
        """Read what is left of its output; it has ended."""
        for reader in self._readers:
            reader.join()


def _read(stream: IO[str], buffer: io.StringIO) -> None:
    with stream:
        buffer.writelines(stream)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@contextmanager
def underway(
    service: Service,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    hold_at: str = "",
    in_a_step: bool = False,
) -> Iterator[Underway]:
    """Start a command, and see that neither it nor what it started outlives the block."""
    one = Underway(service, *arguments, env=env, hold_at=hold_at, in_a_step=in_a_step)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.lose_power()
        one.close()


def make_holdable(service: Service) -> None:
    """Give a service tests that can be held at any gate."""
    for folder in ("test", "testaccept"):
        service.write(f"{folder}/test_held_{folder}.py", HELD.format(folder=folder))
    service.commit("Tests that can be held")
