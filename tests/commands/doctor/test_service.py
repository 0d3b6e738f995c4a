"""`curtainup doctor` for a service, on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.commands.doctor import machine
from curtainup.commands.doctor.machine import look_at
from curtainup.errors import ConfigError, SetupError
from curtainup.model.checks import Check, Found, Piece

BEANSTALK = "name: shop\ndeploy_target: aws-beanstalk\naws_region: eu-west-1\n"
HEAVY = {"pulumi_gcp", "pulumi_aws", "google.auth", "boto3", "botocore"}


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as a deployer without any account; it says at its end what it has imported."""
    code = (
        "import atexit, sys; from curtainup.__main__ import main\n"
        f"atexit.register(lambda: print('imported:', *({HEAVY} & set(sys.modules)), file=sys.stderr))\n"
        "main()"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_"))}
    env |= {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.run(argv, check=False, capture_output=True, text=True, env=env, cwd=folder)


def _names(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [check["name"] for check in json.loads(done.stdout)]


MACHINE = [piece.name for piece in machine.PIECES]


def test_without_a_service_the_machine_alone_is_looked_at(tmp_path: Path) -> None:
    done = _run("doctor", "--json", folder=tmp_path)
    assert _names(done) == MACHINE
    assert done.stderr.endswith("imported:\n"), "no cloud's SDK is imported"


def test_a_service_on_a_docker_host_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n")
    done = _run("doctor", "--json", folder=tmp_path)
    assert _names(done) == MACHINE
    assert done.stderr.endswith("imported:\n"), "no cloud's SDK is imported"


@pytest.mark.parametrize("command", [[], ["doctor"], ["deploy"]])
def test_help_imports_no_sdk(tmp_path: Path, command: list[str]) -> None:
    done = _run(*command, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "imported:\n")


def test_a_service_in_the_cloud_has_its_account_looked_at(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text(BEANSTALK)
    done = _run("doctor", folder=tmp_path)
    assert done.returncode == SetupError.exit_code
    assert "there are no AWS credentials" in done.stdout
    assert "AWS credentials, aws provider: not ready" in done.stderr
    assert "AWS region" not in done.stderr, "what could not be looked at is no cause"
    assert "pulumi_aws" not in done.stderr.rpartition("imported:")[2]


def test_a_service_and_another_configuration_may_be_named(tmp_path: Path) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (service / "pym-config.yaml").write_text("name: shop\n")
    (service / "pym-config.cloud.yaml").write_text(BEANSTALK)
    done = _run("doctor", "service", "--config", "cloud", "--json", folder=tmp_path)
    assert _names(done)[len(MACHINE) :] == [
        "AWS SDK",
        "AWS credentials",
        "AWS region",
        "AWS permissions",
        "aws provider",
    ]


def test_a_named_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = _run("doctor", "empty", folder=tmp_path)
    assert done.returncode == ConfigError.exit_code
    assert done.stdout == ""


def test_what_needs_a_piece_that_is_not_fine_is_left_out() -> None:
    def broken() -> Found:
        raise SetupError("it is broken", fix="mend it")

    pieces = [
        Piece("a", broken),
        Piece("b", lambda: pytest.fail("was looked at"), needs="a"),
        Piece("c", lambda: Found(None, "fine"), needs="d"),
    ]
    pieces.insert(0, Piece("d", lambda: Found("1", "fine")))
    checks = look_at(pieces)
    assert [(check.name, check.ok) for check in checks] == [
        ("d", True),
        ("a", False),
        ("b", False),
        ("c", True),
    ]
    assert checks[2] == Check("b", False, None, "not looked at", "mend a first")


def test_only_what_can_be_mended_is_promised_to_be() -> None:
    assert machine.can_mend(["git", "AWS credentials"])
    assert not machine.can_mend(["AWS credentials", "disk space"])
