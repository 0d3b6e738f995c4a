"""The lock as a stack, made by the real engine: what holds for this backend holds for any."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from curtainup.engine.aftermath import started
from curtainup.engine.workspace import PROJECT, Backend
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.holder import Holder
from curtainup.pipeline.run.shared.place import Taken
from curtainup.pipeline.run.shared.stack import LockStack
from curtainup.session import Session
from tests.e2e import backends
from tests.sessions import world

MATRIX = pytest.mark.matrix(
    reason="test_the_lock_is_there_while_somebody_has_it shows it once, with files behind the engine"
)


@pytest.fixture(params=["file", *(pytest.param(one, marks=MATRIX) for one in ("s3", "postgres"))])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    with backends.running(request.param, tmp_path) as backend:
        env = {**backend.env, "PULUMI_BACKEND_URL": backend.url, "PULUMI_HOME": str(tmp_path / "home")}
        found = world(tmp_path, backend=Backend(backend.url, None, env, b"a passphrase")).session
        del found.state.__dict__["engine"]
        yield found


@pytest.fixture
def files(tmp_path: Path) -> Session:
    """A session whose state is in files, for a test that looks at them."""
    (tmp_path / "state").mkdir()
    url = f"file://{tmp_path}/state"
    env = {"PULUMI_BACKEND_URL": url, "PULUMI_HOME": str(tmp_path / "home")}
    found = world(tmp_path, backend=Backend(url, None, env, b"a passphrase")).session
    del found.state.__dict__["engine"]
    return found


@pytest.fixture
def this(tmp_path: Path) -> Holder:
    return holder.own("this", tmp_path, {})


def test_the_lock_is_there_while_somebody_has_it(session: Session, this: Holder) -> None:
    first, second = LockStack(session, "shop"), LockStack(session, "shop")
    assert first.taken() is None
    assert first.take(this)
    assert second.taken() == Taken(this)
    assert not second.take(replace(this, run="another"))
    assert not second.drop(Taken(replace(this, run="another")))
    assert second.taken() == Taken(this)
    listed = json.loads(session.state.engine.ask(["stack", "ls", "--json", "--project", PROJECT]))
    assert listed == [], "it is no stack of a service"
    assert first.drop(Taken(this))
    assert first.drop(Taken(this)), "it is free"
    assert second.take(replace(this, run="another"))


def test_of_two_at_once_one_gets_it(session: Session, this: Holder) -> None:
    assert LockStack(session, "shop").taken() is None, "two first connections may both make a table"
    begin = Barrier(2)

    def take(run: str) -> bool:
        place = LockStack(session, "shop")
        begin.wait()
        return place.take(replace(this, run=run))

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(take, ("one", "two"))) == [False, True]


def test_what_a_dead_run_left_while_it_gave_the_lock_back_is_no_obstacle(
    files: Session, this: Holder, tmp_path: Path
) -> None:
    """Pulumi's own lock of the stack: its process was one of this machine, and is no more."""
    place = LockStack(files, "shop")
    assert place.take(this)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        started.note(process.pid)
    told = {"pid": process.pid, "username": "u", "hostname": socket.gethostname()}
    left = tmp_path / "state" / ".pulumi" / "locks" / "organization" / "curtainup-lock" / "shop" / "x.json"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text(json.dumps({**told, "timestamp": datetime.now(UTC).isoformat()}))
    try:
        assert place.drop(Taken(this))
    finally:
        started.forget(process.pid)
    assert place.taken() is None
