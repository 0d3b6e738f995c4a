"""`curtainup doctor` for a service, on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.commands.doctor import machine, service
from curtainup.commands.doctor.machine import look_at
from curtainup.config import load
from curtainup.errors import ConfigError, SetupError
from curtainup.model.checks import Check, Found, Piece
from tests.prometheus import prometheus

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


TESTS = "Python for tests"
MACHINE = [piece.name for piece in machine.PIECES]


def test_without_a_service_the_machine_alone_is_looked_at(tmp_path: Path) -> None:
    done = _run("doctor", "--json", folder=tmp_path)
    assert _names(done) == MACHINE
    assert done.stderr.endswith("imported:\n"), "no cloud's SDK is imported"


def test_a_service_on_a_docker_host_adds_no_account(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n")
    done = _run("doctor", "--json", folder=tmp_path)
    assert _names(done) == [*MACHINE, TESTS]
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
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "pym-config.yaml").write_text("name: shop\n")
    (folder / "pym-config.cloud.yaml").write_text(BEANSTALK)
    done = _run("doctor", "service", "--config", "cloud", "--json", folder=tmp_path)
    assert _names(done)[len(MACHINE) :] == [
        TESTS,
        "AWS SDK",
        "AWS credentials",
        "AWS region",
        "AWS permissions",
        "AWS name (staging)",
        "AWS name (live)",
        "AWS quotas",
        "aws provider",
    ]


def test_what_only_a_deployment_needs_is_left_out_where_nothing_may_change(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text(BEANSTALK)
    done = _run("doctor", "--read-only", "--json", folder=tmp_path)
    names = _names(done)[len(MACHINE) :]
    assert names == [
        TESTS,
        "AWS SDK",
        "AWS credentials",
        "AWS region",
        "AWS name (staging)",
        "AWS name (live)",
        "AWS quotas",
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


@pytest.mark.parametrize(
    ("installs", "mended"), [(True, ["git", "Pulumi engine"]), (False, ["Pulumi engine"])]
)
def test_only_what_can_be_mended_here_is_promised_to_be(
    monkeypatch: pytest.MonkeyPatch, installs: bool, mended: list[str]
) -> None:
    monkeypatch.setattr("curtainup.setup.debian.can_install", lambda: installs)
    assert machine.can_mend(["git", "AWS credentials", "Pulumi engine"]) == mended
    assert machine.can_mend(["AWS credentials", "disk space"]) == []


def test_one_cause_is_not_told_of_what_needs_it() -> None:
    needs = {piece.name: piece.needs for piece in machine.PIECES}
    assert needs["Python language host"] == "Pulumi engine"
    assert needs["base image"] == needs["proxy image"] == "Docker engine"


def test_secrets_that_are_not_set_are_not_ready(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\nenv_secrets: [NO_SUCH_SECRET, PATH_TO_IT]\n")
    done = _run("doctor", folder=tmp_path)
    assert done.returncode == SetupError.exit_code
    assert "NO_SUCH_SECRET, PATH_TO_IT: not set here" in done.stdout
    assert "fix: set them where you run curtainup: export NO_SUCH_SECRET=… PATH_TO_IT=…" in done.stdout
    assert "secrets: not ready" in done.stderr
    assert "see above" in done.stderr


def test_whose_python_runs_the_tests_is_told(tmp_path: Path) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("from server import app\n")
    told = {
        check.name: check.detail for check in look_at(service.pieces(tmp_path, load(tmp_path, warn=print)))
    }
    assert told == {TESTS: "unit tests: that of the image; acceptance tests: curtainup's"}


METRICS = """\
name: shop
metrics_url: URL
metrics_token_env: METRICS_TOKEN
canary: [10]
canary_every: 1m
canary_metrics: [{name: errors, query: 'sum(errors{release="{{release}}"})', at_most: 1}]
"""


def test_the_server_of_the_metrics_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with prometheus() as known:
        known.token = "s3cret"
        (tmp_path / "pym-config.yaml").write_text(METRICS.replace("URL", known.url))
        pieces = service.pieces(tmp_path, load(tmp_path, warn=pytest.fail))
        [piece] = [one for one in pieces if one.name == "metrics server"]
        with pytest.raises(SetupError, match="METRICS_TOKEN: not set here"):
            piece.look()
        monkeypatch.setenv("METRICS_TOKEN", "wrong")
        with pytest.raises(SetupError, match="it answers with status 401"):
            piece.look()
        monkeypatch.setenv("METRICS_TOKEN", "s3cret")
        assert piece.look().detail == f"{known.url} answers the queries of errors"
        assert known.queries == ['sum(errors{release="r0000000"})']
