from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from curtainup.gates.variables import gate_variables, image_variables, local_variables
from curtainup.setup.paths import program_dir
from tests.gates.conftest import MakeGate, MakeUnitTests

PYTHON = Path("/srv/shop/.venv/bin/python")
SERVICE = Path("/srv/shop")


def test_a_gate_says_what_it_tests(gate: MakeGate) -> None:
    request = gate(
        SERVICE,
        url="http://127.0.0.1:8001/",
        release="r7f3a1c2",
        expect_release_header=True,
        health_path="/health",
        health_timeout=7,
        headers={"Host": "shop.example.com", "X-Forwarded-Proto": "https"},
    )

    assert gate_variables(request) == {
        "PYM_SERVER_HOST": "127.0.0.1",
        "PYM_SERVER_PORT": "8001",
        "PYM_ENV": "shop-staging",
        "CURTAINUP_URL": "http://127.0.0.1:8001",
        "CURTAINUP_ENVIRONMENT": "staging",
        "CURTAINUP_VERSION": "v1",
        "CURTAINUP_RELEASE": "r7f3a1c2",
        "CURTAINUP_HEALTH_PATH": "/health",
        "CURTAINUP_HEALTH_TIMEOUT": "7",
        "CURTAINUP_HOST_HEADER": "shop.example.com",
        "CURTAINUP_FORWARDED_PROTO": "https",
        "CURTAINUP_HEADER_LIMIT": None,
        "CURTAINUP_EXPECT_RELEASE_HEADER": "1",
    }


def test_what_is_not_known_is_not_said_even_if_the_deployer_has_it(gate: MakeGate) -> None:
    request = gate(SERVICE, version=None)

    variables = local_variables(request, {"CURTAINUP_VERSION": "stale"}, PYTHON)

    assert (
        not {"CURTAINUP_VERSION", "CURTAINUP_RELEASE", "CURTAINUP_EXPECT_RELEASE_HEADER"} & variables.keys()
    )


@pytest.mark.parametrize(
    ("url", "port"), [("https://shop.example.com", "443"), ("http://shop.example.com", "80")]
)
def test_the_port_follows_from_the_scheme(gate: MakeGate, url: str, port: str) -> None:
    variables = gate_variables(gate(SERVICE, url=url))

    assert (variables["PYM_SERVER_HOST"], variables["PYM_SERVER_PORT"]) == ("shop.example.com", port)


def test_the_deployers_variables_stay(unit_tests: MakeUnitTests) -> None:
    theirs = {"SHOP_SECRET": "a=b", "PYTEST_ADDOPTS": "-x", "HOME": "/home/dev"}

    variables = local_variables(unit_tests(SERVICE), theirs, PYTHON)

    assert theirs.items() <= variables.items()


def test_our_virtual_environment_and_checkout_do_not_reach_the_tests(
    unit_tests: MakeUnitTests, tmp_path: Path
) -> None:
    ours = str(Path(sys.prefix) / "bin")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    environ = {
        "PATH": os.pathsep.join([ours, "/usr/bin"]),
        "VIRTUAL_ENV": sys.prefix,
        "VIRTUAL_ENV_PROMPT": "curtainup",
        "PYTHONPATH": os.pathsep.join([str(program_dir()), "/srv/lib"]),
    }

    variables = local_variables(unit_tests(tmp_path), environ, python)

    assert variables["PATH"] == os.pathsep.join([str(python.parent), "/usr/bin"])
    assert variables["VIRTUAL_ENV"] == str(tmp_path / ".venv")
    assert variables["PYTHONPATH"] == "/srv/lib"
    assert "VIRTUAL_ENV_PROMPT" not in variables


def test_a_gate_finds_our_plugin_and_nothing_else_of_ours(gate: MakeGate) -> None:
    variables = local_variables(gate(SERVICE), {"PYTHONPATH": "/srv/lib"}, PYTHON)

    assert variables["PYTHONPATH"] == os.pathsep.join([str(program_dir() / "acceptance"), "/srv/lib"])


@pytest.mark.parametrize(
    ("url", "exempt"),
    [
        ("http://127.0.0.1:8001", "shop.example.com,127.0.0.1"),
        ("http://localhost:8001", "shop.example.com,localhost"),
        ("http://[::1]:8001", "shop.example.com,::1"),
        ("https://live.example.com", "shop.example.com"),
    ],
)
def test_loopback_is_not_asked_through_a_proxy(gate: MakeGate, url: str, exempt: str) -> None:
    environ = {"HTTP_PROXY": "http://proxy.example.com:3128", "no_proxy": "shop.example.com"}

    assert local_variables(gate(SERVICE, url=url), environ, PYTHON)["no_proxy"] == exempt


def test_a_suite_in_the_image_gets_the_images_path_and_what_it_is_given(gate: MakeGate) -> None:
    request = gate(SERVICE, extra_env={"SHOP_SECRET": "a=b"})

    variables = image_variables(request, {"PYTHONPATH": "/app/lib", "PATH": "/venv/bin"}, "/ours")

    assert variables["PYTHONPATH"] == "/ours:/app/lib"
    assert variables["SHOP_SECRET"] == "a=b"
    assert "PATH" not in variables
    assert variables["CURTAINUP_URL"] == request.url
