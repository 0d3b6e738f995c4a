"""State that is not a folder: each command runs in a fresh clone and with a fresh HOME, as in CI."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from curtainup.setup import paths
from tests.e2e import backends
from tests.e2e.backends import BUCKET, Backend
from tests.e2e.service import Finished, Service
from tests.e2e.underway import make_holdable, underway

NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
"""What a run has on a machine without a Docker engine, as one that deploys to a cloud."""
MATRIX = pytest.mark.matrix(
    reason="test_the_first_deployment_goes_live shows once that a bucket is read and written"
)


class Cloned(Service):
    """A service whose every command runs in a new clone, as a user who has never run one."""

    def __init__(self, folder: Path, python: Path, backend: Backend) -> None:
        super().__init__(folder, "hello", python)
        self.backend = backend
        self._clones = folder / "clones"
        self._clones.mkdir()
        given = {"PULUMI_BACKEND_URL": backend.url, "PULUMI_CONFIG_PASSPHRASE": "correct horse"}
        caches = {"XDG_CACHE_HOME": str(paths.cache_dir().parent)}
        self.environ |= {**backend.env, **given, **caches}

    def place(self) -> Path:
        """Return a new clone."""
        clone = self._clones / str(len(list(self._clones.iterdir())))
        command = ["git", "clone", "--quiet", str(self.folder), str(clone / "service")]
        subprocess.run(command, check=True, capture_output=True)
        return clone / "service"

    def variables(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """All variables of a command, with a HOME that nobody has used."""
        home = self._clones / "homes" / os.urandom(4).hex()
        (home / "pulumi").mkdir(parents=True)
        (home / "pulumi" / "plugins").symlink_to(paths.pulumi_home() / "plugins")
        own = {"HOME": str(home), "PULUMI_HOME": str(home / "pulumi"), "XDG_DATA_HOME": str(home / "data")}
        return super().variables({**own, **(env or {})})

    def url(self, environment: str) -> str:
        return str(self.status(environment)["url"])

    def traffic(self, environment: str) -> dict[str, int]:
        return self.traffic_told(environment)


@pytest.fixture(
    scope="module", params=["s3", *(pytest.param(one, marks=MATRIX) for one in ("file", "postgres"))]
)
def cloned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Cloned]:
    """A service with its state in a backend, not deployed yet."""
    folder = tmp_path_factory.mktemp("e2e")
    with backends.running(request.param, folder) as backend:
        one = Cloned(folder, service_python, backend)
        make_holdable(one)
        try:
            yield one
        finally:
            one.remove()


def serves(service: Cloned, greeting: str) -> bool:
    return bool(service.get("live").json().get("says") == greeting)


def stacks(service: Cloned) -> list[str]:
    """The stacks that the backend has, as Pulumi itself lists them."""
    found = Finished(0, service.run("pulumi", "stack", "ls", "--json").out, "").json()
    return sorted(str(one["name"]).rpartition("/")[2] for one in found)


def test_a_preview_that_comes_first_leaves_nothing(cloned: Cloned) -> None:
    cloned.run("preview", code=2)
    assert stacks(cloned) == []
    assert all(not one["releases"] for one in environments(cloned))


def test_the_first_deployment_goes_live(cloned: Cloned) -> None:
    cloned.greet("first")
    release = cloned.deploy("--json").json()["release"]
    assert cloned.traffic("live") == {release: 100}
    assert cloned.serving("live") == release
    assert stacks(cloned) == [f"{cloned.name}-{one}" for one in ("image", "live", "staging")]


@pytest.mark.matrix(reason="test_a_preview_that_comes_first_leaves_nothing shows it once")
def test_a_preview_only_reads_the_state(cloned: Cloned) -> None:
    if cloned.backend.log is None:
        pytest.skip("this backend does not note what it is asked")
    before = len(cloned.backend.log.read_text())
    cloned.run("preview", code=2, env={"HELLO_SECRET": "another"})
    asked = cloned.backend.log.read_text()[before:]
    assert set(re.findall(rf'"([A-Z]+) /{BUCKET}', asked)) == {"GET", "HEAD"}


@MATRIX
def test_a_second_deployment_of_the_same_changes_nothing(cloned: Cloned) -> None:
    before = cloned.host.containers()
    assert cloned.deploy("--json").json()["changed"] is False
    assert cloned.host.containers() == before


@MATRIX
def test_another_version_takes_over(cloned: Cloned) -> None:
    before = cloned.serving("live")
    cloned.greet("second")
    release = cloned.deploy("--json").json()["release"]
    assert cloned.traffic("live") == {before: 0, release: 100}
    assert serves(cloned, "second")


@MATRIX
def test_a_rollback_brings_the_version_before(cloned: Cloned) -> None:
    cloned.run("rollback")
    assert serves(cloned, "first")


@MATRIX
@pytest.mark.parametrize(("gate", "code"), [("staging", 11), ("live", 13)])
def test_a_failing_gate_puts_everything_back(cloned: Cloned, gate: str, code: int) -> None:
    before = cloned.serving("live")
    cloned.greet(f"fails at {gate}")
    cloned.deploy(code=code, fail_at=gate)
    assert serves(cloned, "first")
    assert cloned.traffic("live")[before] == 100


@MATRIX
def test_a_run_that_lost_its_power_is_followed_by_one_that_goes_on(cloned: Cloned) -> None:
    cloned.greet("cut off")
    known = cloned.host.releases("live")
    with underway(cloned, "deploy") as run:
        run.wait_for_step("candidate")
        run.wait_until(lambda: cloned.host.releases("live") > known, "the candidate's container")
        run.lose_power()
    done = cloned.deploy()
    assert f"took over the lock of {cloned.name} from process" in done.err
    assert f"took over the lock of {cloned.name}-live from process" in done.err
    assert serves(cloned, "cut off")


@MATRIX
def test_of_two_users_at_once_the_second_is_turned_away(cloned: Cloned) -> None:
    cloned.greet("the first of two")
    with underway(cloned, "deploy", hold_at="local") as first:
        first.wait_until_held()
        second = cloned.deploy(code=16)
        without_an_engine = cloned.deploy(code=16, env=NO_ENGINE)
        waiting = cloned.run("deploy", "--wait", "3s", code=16, env=NO_ENGINE)
        alive = cloned.run("unlock", "--if-gone", code=32)
        [told] = cloned.run("status", "--json").json()
        first.held.unlink()
        first.finish(0)
    holder = f"process {first.process.pid}: curtainup deploy"
    for refused in (second, without_an_engine, waiting, alive):
        assert holder in refused.err
    assert "curtainup-lock" in without_an_engine.err
    assert "after 3s of waiting" in waiting.err
    assert holder in told["run"]
    assert serves(cloned, "the first of two")
    assert environments(cloned)
    assert cloned.run("status", "--json").json()[0]["run"] is None


@MATRIX
def test_a_job_that_was_killed_frees_its_lock_afterwards(cloned: Cloned) -> None:
    cloned.greet("killed in a job")
    with underway(cloned, "deploy", in_a_step=True) as run:
        run.wait_for_step("staging")
        run.lose_power()
    freed = cloned.run("unlock", "--if-gone", "--wait", "1m", "--json").json()
    if cloned.environ["PULUMI_BACKEND_URL"].startswith("file:"):
        assert freed["state"] == "free", "the kernel has let go of it"
    else:
        assert (freed["state"], freed["freed"]) == ("gone", True)
        assert f"process {run.process.pid}: curtainup deploy" in freed["held_by"]
    assert cloned.run("unlock", "--if-gone", "--json").json()["state"] == "free"
    cloned.deploy()
    assert serves(cloned, "killed in a job")


@MATRIX
def test_a_wrong_passphrase_is_told_by_every_command(cloned: Cloned) -> None:
    live = cloned.serving("live")
    commands = ("deploy", "status", "preview", "rollback", "history", f"destroy --confirm {cloned.name}")
    for command in map(str.split, commands):
        done = cloned.run(*command, code=20, env={"PULUMI_CONFIG_PASSPHRASE": "wrong"})
        assert "the passphrase does not open this stack's secrets" in done.err
        assert "staging and live are as they were" not in done.err
    assert cloned.serving("live") == live


@MATRIX
def test_nothing_is_left_after_destroy(cloned: Cloned) -> None:
    cloned.run("destroy", "--confirm", cloned.name)
    assert cloned.host.everything() == []
    assert stacks(cloned) == []


def environments(service: Cloned) -> list[dict[str, Any]]:
    [found] = service.run("status", "--json").json()
    return list(found["environments"])
