"""The service that is checked: a repository that curtainup reads, and a script that destroys it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cloud_check import __main__ as entry
from cloud_check.models import Place
from cloud_check.service import Service
from curtainup import config as configuration

PLACES = [Place("cloud-run", "europe-west1", "my-project"), Place("beanstalk", "eu-west-1")]


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.target)
def test_its_configuration_is_right_and_its_repository_clean(tmp_path: Path, place: Place) -> None:
    service = Service(tmp_path / "a", "cucheck-1", place)
    service.say("second")
    config = configuration.load(service.folder, warn=pytest.fail)
    assert config.name == "cucheck-1"
    assert config.for_environment("live").deploy_target == place.keys["deploy_target"]
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=service.folder, check=True, capture_output=True).stdout == b""
    assert 'says="second"' in (service.folder / "server.py").read_text()


@pytest.mark.parametrize("rehearsal", [False, True])
def test_somebody_can_destroy_it_with_its_own_state(tmp_path: Path, *, rehearsal: bool) -> None:
    service = Service(tmp_path / "a", "cucheck-1", PLACES[0], rehearsal=rehearsal)
    script = tmp_path / "a" / "destroy.sh"
    assert service.by_hand() == f"sh {script}"
    text = script.read_text()
    assert f"destroy {service.folder} --confirm cucheck-1" in text
    assert ("--rehearsal" in text) is rehearsal
    assert (f"PULUMI_BACKEND_URL=file://{tmp_path}/a/state" in text) is not rehearsal
    assert (tmp_path / "a" / "passphrase").stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def test_curtainup_runs_in_its_folder(tmp_path: Path) -> None:
    service = Service(tmp_path / "a", "cucheck-1", PLACES[0])
    ended = service.run("destroy", "--help")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    "arguments", [["--target", "cloud-run"], ["--target", "beanstalk", "--project", "p"], ["--target", ""]]
)
def test_what_cannot_be_checked_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(arguments)
    assert ended.value.code == 2
    assert "cloud-check" in capsys.readouterr().err
