"""Requests without pause, on kept and on new connections, every failure counted."""

from __future__ import annotations

import http.client
from itertools import count
from threading import Condition, Thread
from types import TracebackType

from tests.engine.provider.world import World, get


class Load:
    """Four clients: two keep their connection, two open one for each request."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failures: list[str] = []
        self.answers: list[tuple[int, str]] = []
        self.stopped = False
        self.ticket = count()
        self.changed = Condition()
        self.clients = [Thread(target=self.ask, args=(keep,)) for keep in (True, True, False, False)]

    def __enter__(self) -> Load:
        for client in self.clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped = True
        for client in self.clients:
            client.join()

    @property
    def count(self) -> int:
        return len(self.answers)

    def mark(self) -> int:
        """Return a ticket that requests sent from now on are above."""
        return next(self.ticket)

    def more(self, requests: int = 150) -> None:
        """Wait until that many more requests were answered."""
        enough = self.count + requests
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= enough or self.failures, timeout=300)

    def answered_since(self, mark: int) -> set[str]:
        """Return the releases that answered requests sent after the mark."""
        return {release for ticket, release in self.answers if ticket > mark}

    def ask(self, keep: bool) -> None:
        user = self.world.connect()
        while not self.stopped:
            ticket = next(self.ticket)
            try:
                status, body, release = get(user)
                if status != 200 or release != body:
                    self.failures.append(f"{status} {body}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                user.close()
            else:
                with self.changed:
                    self.answers.append((ticket, body))
                    self.changed.notify_all()
            if not keep:
                user.close()
        user.close()
