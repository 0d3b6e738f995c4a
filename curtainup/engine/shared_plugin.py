"""A plugin of Pulumi's that the updates of a run need not wait for: it runs before an engine needs it.

An engine attaches itself to a plugin that runs already (`PULUMI_DEBUG_PROVIDERS`), configures it, and leaves
it running. Docker's keeps the configuration of the engine that came last, so one engine has it at a time.
Kubernetes' is of no use once an engine has ended, which tells it to cancel everything. So while something
else goes on, another one is started for the next engine.

Every user of the machine can connect to the plugin's port. So the plugin sleeps while no engine has it, and
one that somebody has connected to meanwhile is not woken up any more.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from curtainup.util import peers
from curtainup.util.leash import leashed

REUSED = frozenset({"docker"})
"""The providers whose plugin one engine can have after another."""
START_SECONDS = 10.0
"""How long the plugin may take to say its port; after that, engines start their own."""
CLOSING_SECONDS = 0.5
"""How long the connections of an engine that has ended may take to close."""
POLL = 0.005
_KEEPER = """sh -c 'echo $$; exec "$0" </dev/null' "$0" & read -r _; kill -KILL $!; wait"""
"""Runs the plugin until everybody has closed the pipe that is the keeper's standard input, and then ends it.

It says the plugin's process id before the plugin says its port.
"""


@dataclass(frozen=True)
class Lent:
    """A plugin that one operation has for itself, or none.

    Attributes:
        ports: the plugin's loopback port by the provider's name, for `program.providers`; empty for none.
        descriptors: what the engine's process inherits, so that the plugin outlives it.
        has_crashed: says whether the plugin has ended, and with it the operation.

    """

    ports: Mapping[str, int]
    descriptors: tuple[int, ...]
    has_crashed: Callable[[], bool]


NONE = Lent({}, (), lambda: False)


class SharedPlugin:
    """The plugin of one run; it is started before it is needed, and again when it has ended.

    It ends with this process and the engines that have it, however they end.
    """

    def __init__(self, provider: str, binary: Path, env: Mapping[str, str]) -> None:
        """Share a plugin.

        Args:
            provider: what Pulumi calls it, such as `docker`.
            binary: the plugin's executable.
            env: its variables: those of the engines that have it.

        """
        self.provider = provider
        self._binary = binary
        self._env = dict(env)
        self._lent = threading.Lock()
        self._changing = threading.Lock()
        self._process: _Process | None = None
        atexit.register(self.stop)

    def start(self) -> None:
        """Start the plugin, if it does not run, without waiting until it is up; then it sleeps."""
        with self._changing, suppress(OSError):
            if self._process is None:
                self._process = _Process(self._binary, self._env)
                threading.Thread(target=self._process.rest, name="plugin", daemon=True).start()

    @contextmanager
    def lent(self) -> Iterator[Lent]:
        """Give the plugin to one operation; if another one has it, or it does not start, give none.

        If the operation fails, the plugin ends, because it may still be at work for it.
        """
        if not self._lent.acquire(blocking=False):
            yield NONE
            return
        try:
            process = self._awake()
            if process is None:
                yield NONE
                return
            try:
                yield Lent({self.provider: process.port}, (process.pipe,), process.has_ended)
            except BaseException:
                self.stop()
                raise
            if self.provider not in REUSED:
                self.stop()
                self.start()
            elif not process.sleep():
                self.stop()
        finally:
            self._lent.release()

    def stop(self) -> None:
        """End the plugin; nothing is under way."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.stop()

    def _awake(self) -> _Process | None:
        """Return the plugin, ready for an engine; None if it does not start."""
        if self._process is not None and not self._process.wake():
            self.stop()
        self.start()
        if self._process is not None and not self._process.wake():
            self.stop()
        return self._process


class _Process:
    """A process of the plugin, and the keeper that is its parent.

    Attributes:
        pipe: the end of the keeper's standard input that this process holds.
        port: the plugin's loopback port; 0 until it has said it.

    """

    def __init__(self, binary: Path, env: Mapping[str, str]) -> None:
        self._keeper, self.pipe = leashed(_KEEPER, str(binary), env=env)
        self._plugin: int | None = None
        self._changing = threading.RLock()
        self._sleeps = self._is_lent = self._is_over = False
        self.port = 0

    def rest(self) -> None:
        """Let the plugin sleep once it is up, unless somebody has it by then."""
        with self._changing:
            if not self._is_lent and not self._is_over and self._is_up():
                self.sleep()

    def has_ended(self) -> bool:
        """Return whether the plugin has ended by itself, or was killed."""
        return self._plugin is None or bool(select.select([self._plugin], [], [], 0)[0])

    def wake(self) -> bool:
        """Let the plugin go on, and return whether it does.

        It does not if it does not start, has ended, or somebody has come while it slept.
        """
        with self._changing:
            self._is_lent = True
            if not self._sleeps:
                return self._is_up()
            if self.has_ended() or peers.is_connected(self.port):
                return False
            self._signal(signal.SIGCONT)
            self._sleeps = False
            return True

    def sleep(self) -> bool:
        """Stop the plugin until it is woken; return False if somebody is still connected, or it has ended."""
        with self._changing:
            deadline = time.monotonic() + CLOSING_SECONDS
            while peers.is_connected(self.port):
                if self.has_ended() or time.monotonic() > deadline:
                    return False
                time.sleep(POLL)
            self._signal(signal.SIGSTOP)
            self._sleeps = True
            return not self.has_ended()

    def stop(self) -> None:
        """End the plugin and its keeper, which ends a plugin that is not up yet."""
        self._is_over = True
        os.close(self.pipe)
        with self._changing:
            self._signal(signal.SIGKILL)
            self._keeper.communicate()
            if self._plugin is not None:
                os.close(self._plugin)
                self._plugin = None

    def _is_up(self) -> bool:
        """Wait until the plugin has said its port, and return whether it has."""
        if not self.port:
            with suppress(OSError, ValueError):
                self._plugin = os.pidfd_open(int(self._line()))
                self.port = int(self._line())
        return bool(self.port)

    def _signal(self, number: signal.Signals) -> None:
        if self._plugin is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._plugin, number)

    def _line(self) -> bytes:
        """Return the next line of the keeper or the plugin; empty if none comes, or none in time."""
        said = self._keeper.stdout
        if said is None:
            return b""
        ended = [] if self._plugin is None else [self._plugin]
        ready, _, _ = select.select([said.fileno(), *ended], [], [], START_SECONDS)
        return said.readline() if said.fileno() in ready else b""
