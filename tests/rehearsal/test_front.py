"""A stand-in's front end on the real HAProxy, through a Docker engine that loses what was printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curtainup.platforms.haproxy.config import Server
from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal.containers import remove_all
from curtainup.rehearsal.front import Front, Plan
from curtainup.rehearsal.home import Home

pytestmark = pytest.mark.docker


class Forgetful:
    """A Docker client that says nothing of what every other command printed, as some engines do at times."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def exec_start(self, job: str) -> bytes:
        self.asked += 1
        said: bytes = self._api.exec_start(job)
        return b"" if self.asked % 2 else said


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[tuple[Forgetful, Home]]:
    home = Home(tmp_path / "rehearsal")
    home.path.mkdir()
    with connect(None) as api:
        try:
            yield Forgetful(api), home
        finally:
            remove_all(home)


def test_a_command_whose_answer_is_lost_is_given_again(docker: tuple[Forgetful, Home]) -> None:
    api, home = docker
    front, _ = Front.ensure(api, home, home.docker_name("front"), Plan())  # type: ignore[arg-type]  # what it needs of one
    one, two = Server("one", "127.0.0.1:1", 100), Server("two", "127.0.0.1:2", 0)

    front.apply({0: {"one": one}}, opens=0)
    front.apply({0: {"one": Server("one", "127.0.0.1:1", 40), "two": Server("two", "127.0.0.1:2", 60)}})
    front.apply({0: {"two": two}})

    assert front.requests("two") == 0
    assert api.asked == 14
