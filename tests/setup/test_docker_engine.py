from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import debian, docker_engine
from tests.clocks import Clock
from tests.setup.conftest import Script

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("dockerd") and shutil.which("unshare")),
    reason="needs root, dockerd and unshare",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short path: a socket's is limited to 107 characters."""
    with tempfile.TemporaryDirectory(prefix="cu-setup-", dir="/tmp") as short:
        yield Path(short)


@pytest.fixture
def second(folder: Path, script: Script) -> Iterator[Path]:
    """Return the command of a second, real engine that shares nothing with the first; stopped at the end.

    Its network is a namespace of its own: an engine without a bridge removes `docker0` from the network it
    finds itself in, and with it the containers of the first engine from theirs.
    """
    command = script(
        "second/dockerd",
        f"exec unshare --net {shutil.which('dockerd')} --host unix://{folder}/docker.sock "
        f"--data-root {folder}/data --exec-root {folder}/run --pidfile {folder}/pid "
        "--bridge none --iptables=false --ip-masq=false",
    )
    yield command
    if (folder / "pid").exists():
        pid = int((folder / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


@pytest.fixture
def nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the default address one at which no engine answers."""
    address = f"unix://{folder}/docker.sock"
    monkeypatch.setattr(docker_engine, "DEFAULT_ADDRESS", address)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return address


@pytest.mark.docker
def test_the_running_engine_answers() -> None:
    client = docker_engine.connect(os.environ)
    assert client.version()["Version"]
    assert client.api.timeout == docker_engine.USE_LIMIT


def test_docker_host_comes_first() -> None:
    assert docker_engine.address({"DOCKER_HOST": "tcp://host.example:2375"}) == "tcp://host.example:2375"


@pytest.fixture
def far(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a context of the docker command, in a configuration of this test alone."""
    meta = folder / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": "unix:///run/far.sock", "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": "far", "Metadata": {}, "Endpoints": endpoint}))
    (folder / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return "far"


def test_then_the_context_that_the_environment_names(far: str) -> None:
    assert docker_engine.address({"DOCKER_CONTEXT": far}) == "unix:///run/far.sock"


def test_then_the_context_in_use(far: str, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"currentContext": far}))
    assert docker_engine.address({}) == "unix:///run/far.sock"


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_a_context_that_is_not_there_is_named(far: str, folder: Path, name: str) -> None:
    (folder / "config.json").write_text(json.dumps({"currentContext": "nowhere"}))
    with pytest.raises(SetupError, match="docker context") as caught:
        docker_engine.address({"DOCKER_CONTEXT": name})
    assert caught.value.fix == "docker context use default, or set DOCKER_HOST"


def test_then_the_default_socket(nobody: str) -> None:
    assert docker_engine.address({}) == nobody


def test_a_docker_host_that_does_not_answer_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with pytest.raises(SetupError, match="no Docker engine answers") as caught:
        docker_engine.connect({"DOCKER_HOST": f"tcp://127.0.0.1:{free}"})
    assert caught.value.where == f"tcp://127.0.0.1:{free}"
    assert caught.value.fix is not None
    assert "unset DOCKER_HOST" in caught.value.fix


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(SetupError, match="no Docker engine answers"):
        docker_engine.connect({"DOCKER_HOST": "nonsense://"})


def test_an_engine_elsewhere_is_never_started_here(nobody: str) -> None:
    with pytest.raises(SetupError, match="no Docker engine answers"):
        docker_engine.ensure({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, pytest.fail)


def test_who_may_not_start_one_is_told_what_to_do(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="no Docker engine answers") as caught:
        docker_engine.ensure({}, pytest.fail)
    assert caught.value.fix is not None
    assert "sudo systemctl start docker" in caught.value.fix


def test_who_is_not_let_in_is_told_of_the_group(
    nobody: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(where: str, environ: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(docker_engine, "_client", refuse)
    with pytest.raises(SetupError, match="does not let this user in") as caught:
        docker_engine.connect({})
    assert caught.value.fix is not None
    assert "--groups docker" in caught.value.fix


@needs_root
@pytest.mark.docker
def test_an_engine_is_started_and_waited_for(nobody: str, second: Path, folder: Path) -> None:
    client = docker_engine.start([str(second)], nobody, folder / "log")
    assert client.info()["DockerRootDir"] == str(folder / "data")
    assert docker_engine.connect({}).ping()
    pid = int((folder / "pid").read_text())
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


@needs_root
@pytest.mark.docker
def test_ensure_installs_what_is_missing_and_starts_it(
    nobody: str,
    second: Path,
    folder: Path,
    tmp_path: Path,
    script: Script,
    first_on_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The package manager is a script which brings the second engine; everything else is real."""
    real, installed = shutil.which, first_on_path / "dockerd"
    monkeypatch.setattr(
        shutil, "which", lambda name: real(name, path=str(first_on_path)) if name == "dockerd" else real(name)
    )
    script("bin/apt-cache", "exit 0")
    script("bin/apt-get", f"echo $* > {tmp_path}/asked; cp {second} {installed}")
    monkeypatch.setattr(docker_engine, "LOG", folder / "log")
    told: list[str] = []
    client = docker_engine.ensure({}, told.append)
    assert client.info()["DockerRootDir"] == str(folder / "data")
    assert told == ["installing docker.io, iptables", "starting the Docker engine"]
    assert (tmp_path / "asked").read_text().split()[-2:] == list(docker_engine.PACKAGES)
    assert docker_engine.ensure({}, pytest.fail).ping()


def test_an_engine_that_ends_at_once_says_why(nobody: str, folder: Path, script: Script) -> None:
    command = script("dockerd", "echo failed to start daemon: no space left >&2; exit 1")
    with pytest.raises(SetupError, match="was started, but it ended") as caught:
        docker_engine.start([str(command)], nobody, folder / "log")
    assert caught.value.where == str(folder / "log")
    assert caught.value.detail == "failed to start daemon: no space left"


def test_an_engine_that_never_answers_is_given_up(
    nobody: str, folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = folder / "log"
    monkeypatch.setattr(docker_engine, "time", Clock(lambda: log.exists() and bool(log.read_text())))
    command = script("dockerd", "echo starting; exec sleep 60")
    with pytest.raises(SetupError, match="was started, but it does not answer") as caught:
        docker_engine.start([str(command)], nobody, folder / "log")
    assert caught.value.detail == "starting"


def test_a_machine_with_debian_and_root_is_told_that_doctor_mends_it(
    nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: True)
    with pytest.raises(SetupError) as caught:
        docker_engine.connect({})
    assert caught.value.fix == "curtainup doctor --fix"
