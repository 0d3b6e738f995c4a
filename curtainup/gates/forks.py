"""The fork servers of one run: one for each interpreter that runs tests on this machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from curtainup.gates.fork_server import ForkServer, Order
from curtainup.gates.models import LocalInterpreter
from curtainup.gates.variables import deployers_variables
from curtainup.util.process import Running


class Forks:
    """Starts a server ahead of the first tests, and ends all of them with the run.

    A server that does not start or has ended is not missed: the caller starts pytest by itself then.
    """

    def __init__(self) -> None:
        self._servers: dict[LocalInterpreter, ForkServer | None] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            for server in filter(None, self._servers.values()):
                server.close()
            self._servers.clear()

    def warm(self, interpreter: LocalInterpreter, service_dir: Path, *, for_gates: bool) -> None:
        """Let an interpreter import pytest, unless it already does.

        Args:
            interpreter: whose tests will run.
            service_dir: the service's source.
            for_gates: whether its first tests are those of a gate.

        """
        with self._lock:
            if interpreter not in self._servers:
                variables = deployers_variables(os.environ, interpreter.python)
                try:
                    server = ForkServer(interpreter, service_dir, variables, for_gates=for_gates)
                except OSError:
                    server = None
                self._servers[interpreter] = server

    def serves(self, interpreter: LocalInterpreter) -> bool:
        """Return whether there is a server for an interpreter, as far as is known."""
        return self._servers.get(interpreter) is not None

    def fork(self, interpreter: LocalInterpreter, order: Order) -> Running | None:
        """Fork a pytest; return None if there is no server to do it."""
        server = self._servers.get(interpreter)
        if server is None:
            return None
        try:
            return server.fork(order)
        except OSError:
            self.give_up(interpreter)
            return None

    def give_up(self, interpreter: LocalInterpreter) -> None:
        """End a server that has lost what it forked, and use none for that interpreter from now on."""
        with self._lock:
            server, self._servers[interpreter] = self._servers.get(interpreter), None
        if server is not None:
            server.close()
