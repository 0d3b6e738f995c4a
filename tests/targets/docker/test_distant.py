"""An environment on a Docker host that SSH reaches: where it is asked, and on which engine it stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from curtainup.environments.view import EnvironmentView
from curtainup.errors import RefusedError
from curtainup.model.contract import RegistrySettings
from curtainup.model.environment import Environment
from curtainup.platforms.docker.hosts import There
from curtainup.platforms.ssh.connection import Connection
from curtainup.session import Session
from curtainup.targets.docker.target import DockerTarget
from curtainup.targets.registries import LOCAL
from tests import samples
from tests.distant_line import Line
from tests.sessions import world


@dataclass
class Scene:
    session: Session
    line: Line
    target: DockerTarget
    view: EnvironmentView


def scene(folder: Path, text: str = "", **settings: Any) -> Scene:
    """Return live on a Docker host, which has these settings, with one release that serves."""
    session = world(folder, f"docker_host: ssh://deploy@shop\n{text}").session
    line, there = Line(), session.accounts.host
    assert isinstance(there, There)
    there.__dict__["connection"] = cast(Connection, line)
    engine = SimpleNamespace(info=lambda: {"ID": "ENGINE"})
    session.accounts.engine.__dict__["client"] = engine
    environment = Environment(
        "shop-live", samples.environment(engine="ENGINE", **settings), samples.deployment(100)
    )
    view = EnvironmentView(session, "live")
    view.environment = environment
    return Scene(session, line, DockerTarget(session, "live", lambda: environment), view)


def test_docker_s_clients_use_the_connection_whatever_else_is_set(tmp_path: Path) -> None:
    host = scene(tmp_path).session.accounts.host
    environ = {"DOCKER_HOST": "ssh://other", "DOCKER_CONTEXT": "other", "PATH": "/bin"}

    assert host.enter(environ) == (7,)

    assert environ["DOCKER_HOST"] == "unix:///run/line/docker.sock"
    assert not environ["DOCKER_CONTEXT"]
    assert not environ["DOCKER_TLS_VERIFY"]
    assert environ["PATH"] == "/bin"


def test_what_listens_there_is_asked_through_the_connection(tmp_path: Path) -> None:
    one = scene(tmp_path, bind="0.0.0.0", host="shop.example.com", port=8443)

    assert one.target.from_here("http://shop.example.com:8443") == "http://127.0.0.1:18443"
    assert one.target.from_here("http://127.0.0.1:20001/x") == "http://127.0.0.1:30001/x"
    assert one.line.asked == [(8443, "127.0.0.1"), (20001, "127.0.0.1")]


@pytest.mark.parametrize(
    ("bind", "asked"), [("10.0.0.5", "10.0.0.5"), ("127.0.0.1", "127.0.0.1"), ("::", "::1"), ("::1", "::1")]
)
def test_users_are_followed_to_the_address_that_is_bound(tmp_path: Path, bind: str, asked: str) -> None:
    one = scene(tmp_path, bind=bind, port=8443)

    one.target.from_here("http://name:8443")

    assert one.line.asked == [(8443, asked)]


def test_it_is_said_how_an_address_of_its_own_is_opened_from_here(tmp_path: Path) -> None:
    host = scene(tmp_path).session.accounts.host

    assert "ssh -N -L 8080:127.0.0.1:8080 deploy@shop" in str(host.opened("http://127.0.0.1:8080"))
    assert host.opened("http://shop.example.com:8080") is None


def test_a_port_is_free_that_nobody_has_there(tmp_path: Path) -> None:
    host = scene(tmp_path).session.accounts.host

    assert not host.is_free(8080)
    assert host.is_free(8081)


def test_an_environment_is_shown_by_the_machine_s_own_name(tmp_path: Path) -> None:
    one = scene(tmp_path, "bind: 0.0.0.0\n")

    assert one.target.settings().host == "shop.example.com"


def test_it_keeps_the_name_that_it_has(tmp_path: Path) -> None:
    one = scene(tmp_path, "bind: 0.0.0.0\n", bind="0.0.0.0", host="10.0.0.5")

    assert one.target.settings().host == "10.0.0.5"


def test_an_environment_stays_on_its_engine(tmp_path: Path) -> None:
    one = scene(tmp_path)
    assert one.target.settings().engine == "ENGINE"

    one.session.accounts.engine.__dict__["id"] = "OTHER"
    with pytest.raises(RefusedError, match="live is on another Docker engine than that of ssh://deploy@shop"):
        one.target.settings()
    with pytest.raises(RefusedError, match="live is on another Docker engine"):
        one.target.require_same_place()


def test_an_environment_of_this_machine_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    one = scene(tmp_path)
    here = Environment("shop-live", samples.environment(), samples.deployment(100))

    with pytest.raises(RefusedError, match="another Docker engine"):
        DockerTarget(one.session, "live", lambda: here).settings()


def test_a_registry_is_not_looked_for_elsewhere_either(tmp_path: Path) -> None:
    known = RegistrySettings(kind="local", host="127.0.0.1:5001", local_port=5001)

    with pytest.raises(RefusedError, match="the registry shop-registry is on another Docker engine"):
        LOCAL.choose(scene(tmp_path).session, known)


def test_a_host_that_is_away_is_what_is_down(tmp_path: Path) -> None:
    one = scene(tmp_path)
    one.line.is_away = True

    assert one.view.look().trouble == "the Docker host does not answer"
    assert set(one.view.down().values()) == {"the Docker host does not answer"}
