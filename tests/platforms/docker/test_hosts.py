"""On which machine the Docker engine runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.docker import hosts
from curtainup.platforms.docker.hosts import There
from curtainup.util.ssh_address import parse


def context(folder: Path, host: str) -> None:
    """Lay out a docker context called `shop`, which is in use."""
    (folder / "config.json").write_text(json.dumps({"currentContext": "shop"}))
    meta = folder / "contexts" / "meta" / hashlib.sha256(b"shop").hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False}
    (meta / "meta.json").write_text(
        json.dumps({"Name": "shop", "Metadata": {}, "Endpoints": {"docker": endpoint}})
    )


@pytest.mark.parametrize(
    ("configured", "variable"),
    [
        ("ssh://a@shop", None),
        ("ssh://a@shop", "ssh://b@other"),
        (None, "ssh://a@shop"),
        ("ssh://a@shop", "tcp://b"),
    ],
)
def test_the_configuration_comes_before_the_variable(
    configured: str | None, variable: str | None, tmp_path: Path
) -> None:
    environ = {"DOCKER_CONFIG": str(tmp_path), **({"DOCKER_HOST": variable} if variable else {})}

    found = hosts.of(configured, environ)

    assert isinstance(found, There)
    assert found.address == parse("ssh://a@shop")


@pytest.mark.parametrize("variable", ["unix:///run/docker.sock", "tcp://shop:2376", ""])
def test_an_engine_that_docker_reaches_by_itself_is_here(variable: str, tmp_path: Path) -> None:
    assert hosts.of(None, {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": variable}) is hosts.HERE


def test_the_context_in_use_may_be_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context(tmp_path, "ssh://a@shop")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    found = hosts.of(None, {"DOCKER_CONFIG": str(tmp_path)})

    assert isinstance(found, There)
    assert str(found) == "ssh://a@shop"
    assert hosts.of(None, {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "default"}) is hosts.HERE


def test_a_variable_that_is_no_address_is_named() -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        hosts.of(None, {"DOCKER_HOST": "ssh://-oProxyCommand=id"})


def test_here_everything_is_what_it_is() -> None:
    environ: dict[str, str] = {}

    assert hosts.HERE.enter(environ) == ()
    assert environ == {}
    assert hosts.HERE.url("http://127.0.0.1:8080/x") == "http://127.0.0.1:8080/x"


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}, "unix:///run/user/1000/docker.sock"),
        ({"DOCKER_HOST": "ssh://shop"}, "unix:///var/run/docker.sock"),
        ({"DOCKER_HOST": "tcp://shop:2376"}, "tcp://shop:2376"),
    ],
)
def test_this_machine_s_own_engine_is_never_reached_by_ssh(environ: dict[str, str], address: str) -> None:
    own = hosts.own(environ)
    assert own.address == address
    assert own.variables["DOCKER_HOST"] == address
    assert own.variables["DOCKER_CONTEXT"] == ""
    assert own.is_here
