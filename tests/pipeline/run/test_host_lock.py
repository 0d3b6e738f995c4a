from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext as does_not_raise
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event
from typing import Any
from unittest.mock import Mock, create_autospec

import docker
import pytest
import requests
from docker.errors import NotFound
from docker.models.volumes import VolumeCollection

from curtainup.errors import Busy, Interrupted, SetupError
from curtainup.pipeline.run import heartbeat, holder, host_lock
from curtainup.pipeline.run.holder import Holder
from curtainup.platforms.docker.labels import LOCK, RUN


@pytest.fixture
def this(tmp_path: Path) -> Holder:
    (tmp_path / "lock").touch()
    return holder.own("this", tmp_path / "lock")


@pytest.fixture
def other(this: Holder) -> Holder:
    """Another user's run on this machine, which has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(this, run="other", pid=process.pid, file="1:1", who="ann@elsewhere")


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("EVERY", 0.1), ("PATIENCE", 3.0), ("LOOK", 0.05)):
        monkeypatch.setattr(heartbeat, name, seconds)


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


@pytest.fixture
def service(client: docker.DockerClient) -> Iterator[str]:
    name = f"cu-lock-test-{uuid.uuid4().hex[:8]}"
    yield name
    for left in client.volumes.list(filters={"name": f"curtainup-lock-{name}"}):
        left.remove()


def made(client: docker.DockerClient, service: str, who: Holder) -> None:
    labels = {LOCK: service, RUN: who.run, host_lock.HOLDER: holder.in_json(who)}
    client.volumes.create(f"curtainup-lock-{service}", labels=labels)


@pytest.mark.docker
def test_the_lock_is_there_while_it_is_held(client: docker.DockerClient, service: str, this: Holder) -> None:
    with host_lock.held(client, service, this, print, Event()):
        assert client.volumes.get(f"curtainup-lock-{service}").attrs["Labels"][RUN] == "this"
    with pytest.raises(NotFound):
        client.volumes.get(f"curtainup-lock-{service}")


@pytest.mark.docker
def test_an_engine_that_went_away_does_not_hide_why_the_run_failed(
    client: docker.DockerClient, service: str, this: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no such socket")

    def cut_off() -> None:
        with host_lock.held(client, service, this, print, Event()):
            monkeypatch.setattr(client.api, "inspect_volume", gone)
            raise Busy("why the run ended")

    with pytest.raises(Busy, match="why the run ended"):
        cut_off()
    monkeypatch.undo()


@pytest.mark.docker
def test_whoever_comes_second_is_told_who_is_at_work(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    living = replace(other, pid=this.pid, command="deploy live")
    made(client, service, living)
    with pytest.raises(Busy) as caught, host_lock.held(client, service, this, print, Event()):
        pytest.fail("the lock was given twice")
    assert str(caught.value.where).startswith(f"ann@elsewhere, process {this.pid}: curtainup deploy live")
    assert f"docker volume rm curtainup-lock-{service}" in str(caught.value.fix)
    assert client.volumes.get(f"curtainup-lock-{service}").attrs["Labels"][RUN] == "other"


@pytest.mark.docker
def test_a_dead_run_s_lock_is_taken_over_with_a_note(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    made(client, service, other)
    client.volumes.create(f"curtainup-lock-{service}-{other.run}-7", labels={heartbeat.BEAT: other.run})
    notes: list[str] = []
    with host_lock.held(client, service, this, notes.append, Event()):
        assert heartbeat.signs(client, other.run) == set()
        assert client.volumes.get(f"curtainup-lock-{service}").attrs["Labels"][RUN] == "this"
    assert notes == [f"took over the lock of {service} from process {other.pid}, which is dead"]


@pytest.mark.docker
@pytest.mark.parametrize("is_dead", [True, False])
def test_an_engine_that_was_started_again_tells_whose_lock_it_is(
    client: docker.DockerClient,
    service: str,
    this: Holder,
    other: Holder,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_dead: bool,
) -> None:
    """Its answer to `create` has no labels of a volume that it had before."""
    made(client, service, other if is_dead else replace(other, pid=this.pid))
    create = client.api.create_volume

    def without_labels(*words: Any, **options: Any) -> dict[str, Any]:
        return {**create(*words, **options), "Labels": None}

    monkeypatch.setattr(client.api, "create_volume", without_labels)
    expected = does_not_raise() if is_dead else pytest.raises(Busy, match="under way")
    with expected, host_lock.held(client, service, this, print, Event()):
        assert client.volumes.get(f"curtainup-lock-{service}").attrs["Labels"][RUN] == "this"


@pytest.mark.docker
def test_a_run_that_has_the_lock_keeps_it_when_the_engine_is_started_again(
    client: docker.DockerClient, service: str, this: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, asked = client.api.create_volume, Event()

    def without_labels(name: str, *words: Any, **options: Any) -> dict[str, Any]:
        made = {**create(name, *words, **options), "Labels": None}
        if name.endswith(f"{this.run}-2"):
            asked.set()
        return made

    monkeypatch.setattr(client.api, "create_volume", without_labels)
    cancelled = Event()
    with host_lock.held(client, service, this, pytest.fail, cancelled):
        assert asked.wait(60), "it gives no signs of life any more"
        assert not cancelled.is_set()


@pytest.mark.docker
def test_a_volume_that_is_no_lock_is_left_alone(
    client: docker.DockerClient, service: str, this: Holder
) -> None:
    client.volumes.create(f"curtainup-lock-{service}", labels={LOCK: service})
    with pytest.raises(Busy), host_lock.held(client, service, this, print, Event()):
        pytest.fail("somebody's volume was taken for a lock")


@pytest.mark.docker
def test_of_many_who_find_a_dead_lock_one_gets_it(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    made(client, service, other)
    together, inside = Barrier(5), []

    def run(number: int) -> bool:
        together.wait()
        mine = replace(this, run=f"run-{number}", file=f"2:{number}")
        try:
            with host_lock.held(client, service, mine, lambda _: None, Event()):
                inside.append(number)
                together.wait()
        except Busy:
            together.wait()
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(run, range(5))) == 1
    assert len(inside) == 1


# Signs of life


@pytest.mark.docker
def test_a_run_that_cannot_be_seen_and_gives_no_sign_of_life_is_dead(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    """As a CI job in a container that was killed."""
    made(client, service, replace(other, boot="elsewhere", machine="another"))
    notes: list[str] = []
    with host_lock.held(client, service, this, notes.append, Event()):
        assert len(notes) == 1


@pytest.mark.docker
def test_a_run_that_cannot_be_seen_and_gives_signs_of_life_is_at_work(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    there = replace(other, boot="elsewhere", machine="another")
    with (
        host_lock.held(client, service, there, print, Event()),
        pytest.raises(Busy),
        host_lock.held(client, service, this, print, Event()),
    ):
        pytest.fail("the lock was given twice")
    assert heartbeat.signs(client, there.run) == set()


@pytest.mark.docker
def test_a_run_that_was_taken_for_dead_stops_and_leaves_the_other_s_lock(
    client: docker.DockerClient, service: str, this: Holder, other: Holder
) -> None:
    notes: list[str] = []
    cancelled = Event()
    with host_lock.held(client, service, this, notes.append, cancelled):
        lock = f"curtainup-lock-{service}"
        while client.volumes.get(lock).attrs["Labels"][RUN] != other.run:
            client.volumes.get(lock).remove()
            made(client, service, other)
        assert cancelled.wait(30)
    assert "another run has taken over the lock" in notes[0]
    assert client.volumes.get(f"curtainup-lock-{service}").attrs["Labels"][RUN] == "other"


@pytest.mark.docker
def test_a_lock_that_somebody_pruned_comes_back(
    client: docker.DockerClient, service: str, this: Holder
) -> None:
    cancelled, lock = Event(), f"curtainup-lock-{service}"
    with host_lock.held(client, service, this, pytest.fail, cancelled):
        client.volumes.get(lock).remove()
        deadline = time.monotonic() + 60
        while not client.volumes.list(filters={"name": lock, "label": f"{RUN}={this.run}"}):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not cancelled.is_set()


# An engine that makes the volume, and then does not know it


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The client of an engine whose answers to making a volume and to asking for it disagree."""
    monkeypatch.setattr(host_lock, "PAUSE", 0.01)
    found: Mock = create_autospec(docker.DockerClient, instance=True)
    found.api = create_autospec(docker.APIClient, instance=True)
    found.volumes = create_autospec(VolumeCollection, instance=True)
    found.volumes.get.side_effect = NotFound("no such volume")
    return found


def test_an_engine_that_does_not_keep_the_lock_ends_the_run(forgetful: Mock, this: Holder) -> None:
    with pytest.raises(SetupError) as caught, host_lock.held(forgetful, "shop", this, print, Event()):
        pytest.fail("the lock was given, and nobody has it")
    assert caught.value.where == "volume curtainup-lock-shop"
    assert caught.value.consequence
    assert caught.value.fix
    assert forgetful.api.create_volume.call_count == host_lock.TRIES


def test_whoever_is_cancelled_waits_for_no_such_engine(forgetful: Mock, this: Holder) -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted), host_lock.held(forgetful, "shop", this, print, cancelled):
        pytest.fail("the lock was given, and nobody has it")
    assert forgetful.api.create_volume.call_count == 1


def test_a_lock_that_takes_a_moment_is_waited_for(forgetful: Mock, this: Holder) -> None:
    there = Mock(attrs={"Labels": {RUN: this.run}})
    forgetful.volumes.get.side_effect = [NotFound("no such volume"), *[there] * 1000]
    with host_lock.held(forgetful, "shop", this, print, Event()):
        assert forgetful.api.create_volume.call_count == 2


def test_a_run_that_has_the_lock_goes_on_if_the_engine_forgets_it(forgetful: Mock, this: Holder) -> None:
    """Nobody else can have it, and its signs of life go on."""
    there = Mock(attrs={"Labels": {RUN: this.run}})
    forgetful.volumes.get.side_effect = [there]
    lived, cancelled = Event(), Event()

    def create(name: str, **_: object) -> None:
        if name.endswith("-1"):
            lived.set()

    def get(_name: str) -> None:
        raise NotFound("no such volume")

    forgetful.volumes.create.side_effect = create
    with host_lock.held(forgetful, "shop", this, pytest.fail, cancelled):
        forgetful.volumes.get.side_effect = get
        assert lived.wait(60), "it gives no signs of life any more"
        assert not cancelled.is_set()
