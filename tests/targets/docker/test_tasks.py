from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.models.containers import Container

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.model.release import Release
from curtainup.platforms.docker import output
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.docker import tasks as docker_host
from curtainup.targets.docker.tasks import Place
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from curtainup.util.secrets import Secret
from tests import docker_engine, samples
from tests.clocks import Clock

pytestmark = pytest.mark.docker
SECRETS = {"DB_PASSWORD": Secret('a=b"$x\nü')}
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture(scope="module")
def place(client: docker.DockerClient) -> Iterator[Place]:
    """An environment's network, on which a release has the first address."""
    with docker_engine.place(client, "cu-tasks-test") as found:
        yield found


@pytest.fixture(scope="module")
def release(client: docker.DockerClient, place: Place) -> Iterator[Release]:
    """A release whose image has an entrypoint, and a command that no task runs."""
    container = client.containers.create(REFERENCES["base"], name=f"{place.name}-image")
    config = {"Entrypoint": ["env", "ENTERED=yes"], "Cmd": ["false"], "User": "nobody", "WorkingDir": "/srv"}
    container.commit(place.name, tag="1", conf=config)
    container.remove()
    settings = samples.SETTINGS.model_copy(update={"stop_timeout": 1})
    yield samples.release(1, image=f"{place.name}:1", settings=settings)
    client.images.remove(f"{place.name}:1", force=True)


Run = Callable[..., Ran]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def run(client: docker.DockerClient, place: Place, release: Release, lines: list[str]) -> Iterator[Run]:
    """Runs a command as a task, and sees that no container is left of it."""

    def work(*command: str, timeout: int = 60, cancel: threading.Event | None = None) -> Ran:
        task = Task(name="migrate", command=command, timeout=timeout)
        stop = cancel or threading.Event()
        return docker_host.run(client, place, release, task, SECRETS, on_line=lines.append, cancel=stop)

    yield work
    assert _left(client, place) == []


def _left(client: docker.DockerClient, place: Place) -> list[Container]:
    wanted: dict[str, str | list[str] | bool] = {"label": f"curtainup.service={place.name}"}
    return list(client.containers.list(all=True, filters=wanted, ignore_removed=True))


def test_a_task_has_what_its_release_has(run: Run, lines: list[str]) -> None:
    ran = run("python3", "-c", SHOW)

    assert ran.passed
    found = json.loads("".join(lines))
    assert found["ENTERED"] == "yes", "the image's entrypoint is kept"
    assert found["DB_PASSWORD"] == 'a=b"$x\nü'
    assert {name: found[name] for name in ("PORT", "VERSION", "PYM_ENV")} == {
        "PORT": "8080",
        "VERSION": samples.release(1).version,
        "PYM_ENV": "shop-live",
    }


def test_it_runs_as_the_images_user_in_its_folder_with_the_words_as_they_are(
    run: Run, lines: list[str]
) -> None:
    run("sh", "-c", 'id -un; pwd; echo "$1" >&2', "sh", "two  words & $HOME")
    assert sorted(lines) == sorted(["nobody", "/srv", "two  words & $HOME"])


def test_it_is_bound_and_labelled_as_its_release_is_and_has_an_address_that_no_release_gets(
    client: docker.DockerClient, place: Place, run: Run
) -> None:
    cancel = threading.Event()
    ended: list[Ran] = []
    thread = threading.Thread(target=lambda: ended.append(run("sleep", "600", cancel=cancel)))
    thread.start()
    try:
        facts = _running(client, place).attrs
    finally:
        cancel.set()
        thread.join()

    host, network = facts["HostConfig"], facts["NetworkSettings"]["Networks"][place.name]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (256 * 2**20, 256 * 2**20, 64)
    assert host["RestartPolicy"]["Name"] in {"", "no"}
    assert not host["PortBindings"]
    assert network["IPAddress"] == place.address
    assert (
        facts["Config"]["Labels"].items()
        >= {
            "curtainup.service": place.name,
            "curtainup.environment": "live",
            "curtainup.release": "r0000001",
            "curtainup.task": "migrate",
        }.items()
    )
    assert "password" not in json.dumps([facts["Args"], facts["Path"]]).lower()
    assert (ended[0].ended, ended[0].code, ended[0].passed) == (Ended.STOPPED, None, False)


def _running(client: docker.DockerClient, place: Place) -> Container:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for one in _left(client, place):
            if one.status == "running":
                return one
    raise AssertionError("no task runs")


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        (("sh", "-c", "echo no >&2; exit 3"), 3, ""),
        (("no-such-program",), 127, "its command was not found"),
        (("/srv",), 126, "its command is not executable"),
    ],
)
def test_its_exit_code_is_told(run: Run, command: tuple[str, ...], code: int, why: str) -> None:
    ran = run(*command)

    assert (ran.code, ran.ended, ran.passed) == (code, Ended.BY_ITSELF, False)
    assert ran.why == why
    assert ran.place.startswith("container cu-tasks-test-")


def test_one_that_needs_too_much_memory_is_told_so(run: Run) -> None:
    ran = run("python3", "-c", "x = bytearray(10**9)")

    assert ran.why == "it used more than its 256 MiB of memory"
    assert "memory_limit" in ran.fix


def test_one_that_hangs_is_stopped_at_its_limit_though_it_will_not_hear(
    run: Run, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "time", Clock(lambda: "begun" in lines))

    ran = run("sh", "-c", "trap '' TERM INT; echo begun; while :; do sleep 1; done", timeout=600)

    assert (ran.ended, ran.code) == (Ended.TIMED_OUT, None)
    assert lines == ["begun"]


def test_what_a_killed_run_left_is_removed_and_nothing_else(
    client: docker.DockerClient, place: Place, release: Release
) -> None:
    labels = {**place.labels, "curtainup.task": "migrate"}
    others = [{**labels, "curtainup.environment": "staging"}, dict(place.labels)]
    made = [
        client.containers.run(
            release.image, ["sleep", "600"], name=f"{place.name}-{at}", detach=True, labels=one
        )
        for at, one in enumerate([labels, *others])
    ]
    try:
        docker_host.end(client, place.labels)
        docker_host.end(client, place.labels)
        assert {one.id for one in _left(client, place)} == {one.id for one in made[1:]}
    finally:
        for one in _left(client, place):
            one.remove(force=True)


def test_an_image_that_is_gone_is_told(client: docker.DockerClient, place: Place, release: Release) -> None:
    task = Task(name="migrate", command=("true",))
    gone = release.model_copy(update={"image": f"{place.name}:none"})
    with pytest.raises(SetupError, match="the release's image is gone"):
        docker_host.run(client, place, gone, task, {}, on_line=print, cancel=threading.Event())
    assert _left(client, place) == []
