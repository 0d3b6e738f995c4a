"""A command that runs as a task does, and what each target says where it cannot."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from curtainup.config.tasks import Task
from curtainup.errors import Interrupted, RefusedError, SetupError
from curtainup.model.environment import Environment
from curtainup.model.release import Release
from curtainup.targets import command
from curtainup.targets.beanstalk.target import BeanstalkTarget
from curtainup.targets.cloud_run.target import CloudRunTarget
from curtainup.targets.command import Asked
from curtainup.targets.docker.commands import run_inside
from curtainup.targets.docker.target import DockerTarget
from curtainup.targets.kubernetes.target import KubernetesTarget
from curtainup.targets.runs import EndsCommands, Executes
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from curtainup.util.terminal import Terminal
from tests import samples
from tests.images.test_registry import BEANSTALK, CLOUD_RUN
from tests.sessions import world

RELEASE = samples.release(1)
Run = Callable[[Release, Task, Callable[[str], None]], Ran]


@pytest.fixture
def out(tmp_path: Path) -> Iterator[tuple[Terminal, Path]]:
    file = tmp_path / "out"
    number = os.open(file, os.O_WRONLY | os.O_CREAT)
    yield Terminal(stdout=number), file
    os.close(number)


def _ends(code: int | None, ended: Ended = Ended.BY_ITSELF, why: str = "") -> Run:
    def run(release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        assert (release, task.command) == (RELEASE, ("python", "x y"))
        on_line("first ü")
        on_line("")
        return Ran(code, ended, "Job x", why)

    return run


def test_its_output_and_its_exit_code_are_the_command_s(out: tuple[Terminal, Path]) -> None:
    said: list[str] = []
    asked = Asked(("python", "x y"), terminal=out[0], say=said.append)
    assert command.as_task(asked, RELEASE, _ends(3, why="it used more than its memory")) == 3
    assert out[1].read_bytes() == "first ü\n\n".encode()
    assert "no terminal and no input" in said[0]
    assert said[1:] == ["it used more than its memory"]


@pytest.mark.parametrize(
    ("ended", "error", "what"),
    [
        (Ended.STOPPED, Interrupted, "interrupted"),
        (Ended.TIMED_OUT, SetupError, "longer than a day"),
        (Ended.BY_ITSELF, SetupError, "nobody tells"),
    ],
)
def test_one_without_an_exit_code_is_an_error(
    out: tuple[Terminal, Path], ended: Ended, error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what):
        command.as_task(Asked(("python", "x y"), terminal=out[0]), RELEASE, _ends(None, ended))


def test_what_a_target_says_of_a_task_is_said_of_a_command() -> None:
    def run(*_: object) -> Ran:
        raise SetupError("no", consequence="the release gets no traffic, and the environment is put back")

    with pytest.raises(SetupError) as caught:
        command.as_task(Asked(("true",)), RELEASE, run)
    assert caught.value.consequence == command.WENT_ON


def test_ctrl_c_ends_the_command_and_then_counts_as_before(out: tuple[Terminal, Path]) -> None:
    before, cancel = signal.getsignal(signal.SIGINT), threading.Event()

    def run(_release: Release, _task: Task, _on_line: Callable[[str], None]) -> Ran:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.wait(60)
        return Ran(None, Ended.STOPPED, "Job x")

    with pytest.raises(Interrupted):
        command.as_task(Asked(("true",), terminal=out[0], cancel=cancel), RELEASE, run)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("target", [DockerTarget, KubernetesTarget])
def test_where_a_killed_command_may_go_on_it_can_be_ended(target: type) -> None:
    assert issubclass(target, Executes)
    assert issubclass(target, EndsCommands)


def test_cloud_run_needs_a_job_and_lets_nobody_in(tmp_path: Path) -> None:
    session = world(tmp_path, f"{CLOUD_RUN}docker_repo: my-project\n").session
    environment = Environment("shop-live", outputs={"jobs": {}})
    target = CloudRunTarget(session, "live", lambda: environment)
    why = target.no_command(RELEASE, attach=False)
    assert why is not None
    assert "no job" in why.what
    environment.outputs["jobs"][RELEASE.id] = "projects/p/locations/r/jobs/j"
    assert target.no_command(RELEASE, attach=False) is None
    why = target.no_command(RELEASE, attach=True)
    assert why is not None
    assert "lets nobody" in why.what


@pytest.mark.parametrize(
    ("attach", "tasks", "said"),
    [(False, True, "one container"), (True, False, "may not"), (True, True, None)],
)
def test_beanstalk_runs_one_in_the_release_s_container_if_it_may(
    tmp_path: Path, attach: bool, tasks: bool, said: str | None
) -> None:
    from curtainup.environments.rollout import Rollout

    text = f"{BEANSTALK}{'tasks: [migrate]' if tasks else ''}\n"
    rollout = Rollout(world(tmp_path, text).session, "live")
    rollout.prepare(allow_replace=False)
    assert isinstance(rollout.target, BeanstalkTarget)
    why = rollout.target.no_command(RELEASE, attach=attach)
    assert (why is None) if said is None else (why is not None and said in why.what)


def test_no_engine_behind_tls_runs_a_command_in_a_container_that_is_there() -> None:
    client = docker.DockerClient(base_url="https://shop.example.com:2376", version="1.41")
    with pytest.raises(RefusedError, match="behind TLS"):
        run_inside(client, "shop-live-accessories-db", Asked(("pg_dump",), attach=True))
