from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.targets import component
from curtainup.engine.program import _import_ahead
from curtainup.errors import SetupError
from curtainup.setup import extras
from curtainup.targets import spec_of

pytestmark = pytest.mark.usefixtures("nobody")

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
SERVICES = {
    "gcp-cloud-run": "docker_repo: my-project\ngcp_region: europe-west1\n",
    "aws-beanstalk": "aws_region: eu-west-1\n",
}


COMMANDS = ("deploy", "preview", "doctor")
IN_TURN = """\
import sys
module, folder, *commands = sys.argv[1:]
sys.modules[module] = None
from curtainup.__main__ import main
for command in commands:
    sys.argv = ["curtainup", command, folder]
    try:
        main()
    except SystemExit as ended:
        print(f"--- {command}: {ended.code}", file=sys.stderr, flush=True)
"""


def _lacking(module: str, service: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands in one process that lacks a module, as each would take a second to start."""
    env = {
        **os.environ,
        "PATH": os.defpath,
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
    }
    argv = [sys.executable, "-c", IN_TURN, module, str(service), *COMMANDS]
    return subprocess.run(
        argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )


def _service(folder: Path, target: str) -> Path:
    (folder / "service").mkdir()
    text = f"name: shop\ndeploy_target: {target}\n{SERVICES[target]}"
    (folder / "service" / "pym-config.yaml").write_text(text)
    env = {**os.environ, "PATH": os.defpath}
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*GIT, *arguments], check=True, cwd=folder / "service", env=env)
    return folder / "service"


@pytest.mark.parametrize(
    ("target", "module", "distribution", "extra"),
    [
        ("gcp-cloud-run", "pulumi_gcp", "pulumi-gcp", "gcp"),
        ("gcp-cloud-run", "google.auth", "google-auth", "gcp"),
        ("aws-beanstalk", "pulumi_aws", "pulumi-aws", "aws"),
        ("aws-beanstalk", "boto3", "boto3", "aws"),
    ],
)
def test_a_target_without_its_sdk_is_refused_with_the_command_that_brings_it(
    tmp_path: Path, target: str, module: str, distribution: str, extra: str
) -> None:
    said = _lacking(module, _service(tmp_path, target), tmp_path).stdout
    for command in COMMANDS:
        by_it, _, said = said.partition(f"--- {command}: {SetupError.exit_code}\n")
        assert f"{target} needs {distribution}, which is not installed" in by_it, command
        assert f"pip install 'curtainup[{extra}]'" in by_it, command
        assert "Traceback" not in by_it, command
    assert not (tmp_path / ".pulumi" / "stacks").exists(), "nothing was begun"


def test_the_program_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a plain `pulumi up`."""
    for module in ("pulumi_aws", "boto3"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        SetupError, match="aws-beanstalk needs pulumi-aws and boto3, which are not installed"
    ) as caught:
        component("aws-beanstalk")
    assert caught.value.fix == "pip install 'curtainup[aws]'"
    _import_ahead("aws-beanstalk")


@pytest.mark.parametrize("target", ["docker", "gcp-cloud-run", "aws-beanstalk"])
def test_what_is_installed_is_enough(target: str) -> None:
    extras.require(spec_of(target).extra)


def test_a_package_that_is_absent_with_all_its_modules_is_no_traceback() -> None:
    absent = extras.Extra("other", "docker", {"curtainup_absent.module": "other"})
    with pytest.raises(SetupError, match="docker needs other, which is not installed"):
        extras.require(absent)
