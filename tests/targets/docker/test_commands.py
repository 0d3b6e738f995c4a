from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound

from curtainup.errors import RefusedError, SetupError
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.platforms.docker.labels import EXEC, PROCESS
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.command import Asked
from curtainup.targets.docker import commands
from curtainup.targets.docker.tasks import Place
from curtainup.util.terminal import Terminal
from tests import docker_engine, samples

pytestmark = pytest.mark.docker
PATIENCE = 60.0
SECRET = 'a=b"$x\nü'
WORKER = Process(name="worker", command=("work",), count=1, memory_mb=32, stop_timeout=1, settle=1)
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture(scope="module")
def place(client: docker.DockerClient) -> Iterator[Place]:
    with docker_engine.place(client, "cu-exec-test", "run1") as found:
        yield found


@pytest.fixture(scope="module")
def release(client: docker.DockerClient, place: Place) -> Iterator[Release]:
    """A release that serves, whose container alone knows its secret."""
    release = samples.release(1, image=REFERENCES["base"])
    serving = client.containers.run(
        release.image,
        ["sleep", "600"],
        name=f"{place.name}-{release.id}",
        environment={"DB_PASSWORD": SECRET, "PORT": "8080"},
        network=place.network,
        init=True,
        detach=True,
    )
    yield release
    serving.remove(force=True, v=True)


class Files:
    """What a command reads from and writes to, where no terminal is."""

    def __init__(self, folder: Path, given: bytes) -> None:
        (folder / "in").write_bytes(given)
        self.out, self.err = folder / "out", folder / "err"
        self._open = [
            os.open(folder / "in", os.O_RDONLY),
            os.open(self.out, os.O_WRONLY | os.O_CREAT),
            os.open(self.err, os.O_WRONLY | os.O_CREAT),
        ]
        self.terminal = Terminal(*self._open)

    def close(self) -> None:
        for one in self._open:
            os.close(one)


Run = Callable[..., tuple[int, bytes, bytes]]


@pytest.fixture(params=["beside", "inside"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def nothing_is_left(client: docker.DockerClient, place: Place) -> None:
    """Wait until the containers of commands are gone: Docker removes one a moment after it has ended."""
    deadline = time.monotonic() + PATIENCE
    while commands.left(client, {"curtainup.service": place.name}):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def run(client: docker.DockerClient, place: Place, release: Release, tmp_path: Path) -> Iterator[Run]:
    """Runs a command with files, and sees that no container is left of it."""

    def work(*words: str, how: str = "beside", given: bytes = b"") -> tuple[int, bytes, bytes]:
        files = Files(tmp_path, given)
        try:
            code = _execute(client, place, release, Asked(words, how == "inside", files.terminal))
        finally:
            files.close()
        return code, files.out.read_bytes(), files.err.read_bytes()

    yield work
    nothing_is_left(client, place)


def _execute(client: docker.DockerClient, place: Place, release: Release, asked: Asked) -> int:
    if asked.attach:
        return commands.run_inside(client, f"{place.name}-{release.id}", asked)
    return commands.run_beside(client, place, release, asked)


def test_it_has_the_variables_and_secrets_of_the_release_that_serves(run: Run, how: str) -> None:
    code, out, _ = run("python3", "-c", SHOW, how=how)
    found = json.loads(out)
    assert (code, found["DB_PASSWORD"], found["PORT"]) == (0, SECRET, "8080")


def test_its_exit_code_words_and_streams_are_its_own(run: Run, how: str) -> None:
    found = run("sh", "-c", 'echo "$1"; echo oh >&2; exit 41', "sh", "two  words & $HOME", how=how)
    assert found == (41, b"two  words & $HOME\n", b"oh\n")


def test_it_reads_and_writes_much_at_the_same_time_until_the_input_ends(run: Run, how: str) -> None:
    much = os.urandom(1 << 20) * 5
    code, out, _ = run("cat", how=how, given=much)
    assert code == 0
    assert out == much


def test_a_program_that_is_not_there_is_told_as_by_shells(run: Run, how: str) -> None:
    code, out, err = run("no-such-program", how=how)
    assert code in {126, 127}
    assert b"no-such-program" in out + err


def test_a_release_whose_container_is_gone_is_told(
    client: docker.DockerClient, place: Place, how: str
) -> None:
    with pytest.raises(SetupError, match="container is gone"):
        _execute(client, place, samples.release(2), Asked(("true",), how == "inside"))


def _seen(client: docker.DockerClient, place: Place, release: Release, folder: Path, **asked: Any) -> Any:
    """What the engine tells of a command's container while it runs."""
    reading, writing = os.pipe()
    with (folder / "out").open("wb") as out, ThreadPoolExecutor(1) as pool:

        def look() -> dict[str, Any]:
            try:
                return _running(client, place)
            finally:
                os.close(writing)

        found = pool.submit(look)
        terminal = Terminal(reading, out.fileno(), out.fileno())
        assert commands.run_beside(client, place, release, Asked(("cat",), terminal=terminal, **asked)) == 0
    os.close(reading)
    nothing_is_left(client, place)
    return found.result()


def test_it_is_bound_as_its_release_is_and_its_secrets_are_in_no_command_line(
    client: docker.DockerClient, place: Place, release: Release, tmp_path: Path
) -> None:
    facts = _seen(client, place, release, tmp_path, holder={EXEC: "me"})
    assert facts["HostConfig"]["Memory"] == samples.SETTINGS.memory_mb << 20
    assert facts["HostConfig"]["CapDrop"] == ["ALL"]
    assert facts["HostConfig"]["AutoRemove"]
    assert facts["Config"]["Labels"][EXEC] == "me"
    assert SECRET not in json.dumps([facts["Path"], facts["Args"], facts["Config"]["Labels"]])
    assert facts["NetworkSettings"]["Networks"][place.network]["IPAddress"] != place.address


def test_as_a_process_it_has_the_bounds_of_that(
    client: docker.DockerClient, place: Place, release: Release, tmp_path: Path
) -> None:
    process = WORKER.model_copy(update={"cpus": 0.5})
    facts = _seen(client, place, release, tmp_path, process=process, holder={EXEC: "me"})
    assert (facts["HostConfig"]["Memory"], facts["HostConfig"]["NanoCpus"]) == (32 << 20, 5 * 10**8)
    assert f"DB_PASSWORD={SECRET}" in facts["Config"]["Env"]
    assert PROCESS not in facts["Config"]["Labels"], "it does not count as one of the processes"


def test_a_process_whose_container_is_gone_is_told(client: docker.DockerClient, place: Place) -> None:
    with pytest.raises(SetupError, match="the process's container is gone"):
        commands.run_inside(client, f"{place.name}.worker.1", Asked(("true",), attach=True, process=WORKER))


@pytest.fixture
def worker(client: docker.DockerClient, place: Place, release: Release) -> Iterator[str]:
    """The container of a process of the second release."""
    name = f"{place.name}.worker.1"
    labels = {"curtainup.release": "r0000002", PROCESS: "worker"}
    made = client.containers.create(release.image, ["sleep", "300"], name=name, labels=labels, init=True)
    made.start()
    yield name
    made.remove(force=True, v=True)


def test_a_process_whose_container_is_another_release_s_by_now_is_not_entered(
    client: docker.DockerClient, worker: str, tmp_path: Path
) -> None:
    """What is recorded is what runs: the containers of two releases' processes have the same name."""
    files = Files(tmp_path, b"")
    asked = Asked(("touch", "/tmp/entered"), attach=True, process=WORKER, terminal=files.terminal)

    with pytest.raises(RefusedError) as caught:
        commands.run_inside(client, worker, asked, "r0000001")
    assert caught.value.what.startswith("process worker of r0000001 is not there")
    assert client.containers.get(worker).exec_run(["ls", "/tmp/entered"]).exit_code != 0

    assert commands.run_inside(client, worker, asked, "r0000002") == 0
    assert client.containers.get(worker).exec_run(["ls", "/tmp/entered"]).exit_code == 0
    files.close()


def _running(client: docker.DockerClient, place: Place) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for identity, _ in commands.left(client, {"curtainup.service": place.name}):
            with suppress(NotFound):  # an earlier one, which the engine removes
                found: dict[str, Any] = client.api.inspect_container(identity)
                if found["State"]["Running"]:
                    return found
        time.sleep(0.05)
    raise AssertionError("it never ran")


IN_PTY = """\
import fcntl
import os
import sys
import termios
import docker
from curtainup.targets.command import Asked
from curtainup.targets.docker import commands
from curtainup.targets.docker.tasks import Place
from curtainup.util.terminal import Terminal
from tests import docker_engine, samples

if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the kernel tells it when the size changes
name, image, how, *words = sys.argv[1:]
client, release = docker.from_env(), samples.release(1, image=image)
place = Place(name, {"curtainup.service": name}, name, None, "run2")
asked = Asked(tuple(words), how == "inside", Terminal(), {"curtainup.exec": "me"})
if asked.attach:
    code = commands.run_inside(client, f"{name}-{release.id}", asked)
else:
    code = commands.run_beside(client, place, release, asked)
print("ended", code, flush=True)
"""


class Person:
    """Somebody at a terminal of 33 lines and 101 columns."""

    def __init__(self, place: Place, release: Release, how: str, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        termios_size(self.ours, 33, 101)
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_PTY, place.name, release.image, how, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = b""

    def types(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def sees(self, text: str) -> None:
        """Wait for a text in what the terminal shows from now on."""
        while text.encode() not in self.seen:
            assert select.select([self.ours], [], [], PATIENCE)[0], f"{text!r} never came: {self.seen!r}"
            try:
                piece = os.read(self.ours, 4096)
            except OSError:
                piece = b""
            assert piece, f"{text!r} never came: {self.seen!r}"
            self.seen += piece
        self.seen = self.seen.partition(text.encode())[2]


def termios_size(terminal: int, lines: int, columns: int) -> None:
    import termios

    termios.tcsetwinsize(terminal, (lines, columns))


def test_a_shell_in_a_terminal_has_its_size_its_keys_and_its_colours(
    client: docker.DockerClient, place: Place, release: Release, how: str
) -> None:
    person = Person(place, release, how, "sh")
    person.types("stty size; test -t 0 && echo is-a-$((1))-terminal\n")
    person.sees("33 101")
    person.sees("is-a-1-terminal")

    termios_size(person.ours, 40, 120)  # the kernel tells the process by SIGWINCH
    person.types('until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; echo is-$((1))-resized\n')
    person.sees("is-1-resized")

    # A shell of its own, as the first one may start a program before it gives it the keys.
    person.types("sh -c 'echo sleeps-$((1)); sleep 600'; echo not-reached\n")
    person.sees("sleeps-1")
    person.types("\x03")  # Ctrl-C is the command's
    person.types("echo still-$((1))-here; exit 7\n")
    person.sees("still-1-here")
    person.sees("ended 7")
    assert person.process.wait(PATIENCE) == 0
    nothing_is_left(client, place)


def test_ctrl_c_without_a_terminal_goes_to_the_command(
    client: docker.DockerClient, place: Place, release: Release
) -> None:
    trap = "trap 'echo heard; exit 3' INT; echo ready; while :; do sleep 0.1; done"
    with _started(place, release, "sh", "-c", trap) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b"heard\nended 3\n"
    nothing_is_left(client, place)


def test_one_that_heeds_no_signal_is_ended_by_the_fourth(
    client: docker.DockerClient, place: Place, release: Release
) -> None:
    deaf = "trap 'echo heard' TERM; echo ready; while :; do sleep 0.1; done"
    with _started(place, release, "sh", "-c", deaf) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for _ in range(commands.PATIENCE):
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == b"heard\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 1
    nothing_is_left(client, place)


@pytest.mark.parametrize(("words", "stays"), [(("cat",), False), (("sleep", "600"), True)])
def test_of_one_that_was_killed_the_container_is_found_and_one_that_reads_ends_by_itself(
    client: docker.DockerClient, place: Place, release: Release, words: tuple[str, ...], stays: bool
) -> None:
    with _started(place, release, *words) as process:
        identity = _running(client, place)["Id"]
        process.kill()
    if stays:
        assert commands.left(client, {"curtainup.service": place.name}) == [(identity, "me")]
        commands.end(client, [identity])
    nothing_is_left(client, place)


@contextmanager
def _started(place: Place, release: Release, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", IN_PTY, place.name, release.image, "beside", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield process
