"""What is refused before anything is touched, each with its own exit code and the way out."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(reason="test_a_dirty_tree_is_refused_by_naming_the_files shows a refusal once")


@pytest.fixture
def source(service: Service) -> Iterator[Service]:
    """A service that was never deployed; what a test does to its repository is undone in git."""
    good = service.git("rev-parse", "HEAD").strip()
    config = service.config
    yield service
    service.git("reset", "--quiet", "--hard", good)
    service.config = config
    assert service.updates() == [], "something was touched"
    assert service.host.containers() == []


@MATRIX
def test_an_unknown_key_gets_the_nearest_known_one(source: Service) -> None:
    source.configure(memory_limt="256m")

    done = source.deploy(code=3)

    assert "memory_limt" in done.err
    assert "memory_limit" in done.err


@MATRIX
def test_a_broken_configuration_is_told_by_its_line(source: Service) -> None:
    source.write("pym-config.yaml", "name: [unclosed\n")

    done = source.deploy(code=3)

    assert "pym-config.yaml" in done.err


@MATRIX
def test_a_missing_configuration_is_said(source: Service) -> None:
    (source.folder / "pym-config.yaml").unlink()

    done = source.deploy(code=3)

    assert "pym-config.yaml" in done.err


@MATRIX
def test_a_configuration_that_is_not_there_is_refused_by_name(source: Service) -> None:
    done = source.deploy("--config", "nowhere", code=3)

    assert "pym-config.nowhere.yaml" in done.err


@MATRIX
def test_all_missing_secrets_are_named_at_once(source: Service) -> None:
    source.configure(env_secrets=["HELLO_SECRET", "SECOND_SECRET", "THIRD_SECRET"])

    done = source.deploy(code=4)

    assert "SECOND_SECRET" in done.err
    assert "THIRD_SECRET" in done.err


@MATRIX
def test_without_git_there_is_no_version(source: Service, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(source.folder, plain, ignore=shutil.ignore_patterns(".git"))

    done = source.run("deploy", code=6, cwd=plain)

    assert "git init" in done.err


def test_a_dirty_tree_is_refused_by_naming_the_files(source: Service) -> None:
    source.write("server.py", "# changed\n")

    done = source.deploy(code=6)

    assert "server.py" in done.err
    assert "--dirty" in done.err


def test_a_port_that_something_else_has_is_refused(source: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        source.configure(environments={"live": {"port": port}})

        done = source.deploy(code=15)

    assert str(port) in done.err


@MATRIX
def test_two_environments_cannot_have_the_same_port(source: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    source.configure(port=port)

    done = source.deploy(code=3)

    assert str(port) in done.err


def test_a_docker_engine_that_does_not_answer_is_said(source: Service) -> None:
    done = source.deploy(code=5, env={"DOCKER_HOST": "unix:///nonexistent.sock"})

    assert "Docker" in done.err
    assert "curtainup doctor --fix" in done.err


@MATRIX
def test_a_missing_engine_is_said(source: Service, tmp_path: Path) -> None:
    elsewhere = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    done = source.deploy(code=5, env=elsewhere)

    assert "Pulumi" in done.err
    assert "curtainup doctor --fix" in done.err


def test_a_ci_job_without_a_backend_is_refused(source: Service) -> None:
    done = source.deploy(code=20, env={"CI": "true"})

    assert "PULUMI_BACKEND_URL" in done.err


@MATRIX
def test_a_python_that_is_not_there_is_said(source: Service) -> None:
    done = source.deploy("--python", "/nonexistent/python", code=5)

    assert "/nonexistent/python" in done.err


@MATRIX
@pytest.mark.parametrize("arguments", [("rollback",), ("test", "--env", "live")])
def test_what_was_never_deployed_cannot_be_used(source: Service, arguments: tuple[str, ...]) -> None:
    source.run(*arguments, code={"rollback": 19, "test": 20}[arguments[0]])


@MATRIX
def test_status_of_what_was_never_deployed_says_so(source: Service) -> None:
    done = source.run("status")

    assert done.out.splitlines() == [
        f"{source.name} staging: not deployed",
        f"{source.name} live: not deployed",
    ]


@MATRIX
def test_a_preview_shows_what_a_first_deployment_would_make_and_makes_nothing(source: Service) -> None:
    found = source.run("preview", "--json", code=2).json()

    assert [one["stack"] for one in found] == [
        f"{source.name}-{stack}" for stack in ("image", "staging", "live")
    ]
    assert all(one["changed"] for one in found)
