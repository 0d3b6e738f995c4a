from __future__ import annotations

import stat
from pathlib import Path

import pytest

from curtainup.engine import workspace
from curtainup.errors import RefusedError, StateError
from curtainup.rehearsal import stage
from curtainup.rehearsal.faults import KINDS, OF
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.stage import Rehearsal
from curtainup.targets import every

REAL = {
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ENDPOINT_URL_ELASTIC_BEANSTALK": "https://real.example",
    "GOOGLE_APPLICATION_CREDENTIALS": "/real.json",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "token",
    "CLOUDSDK_AUTH_ACCESS_TOKEN": "token",
    "PULUMI_ACCESS_TOKEN": "pul-token",
    "PULUMI_BACKEND_URL": "s3://real",
    "PULUMI_CONFIG_PASSPHRASE": "real",
    "KUBECONFIG": "/real/kubeconfig",
    "PATH": "/bin",
}


@pytest.mark.parametrize("target", stage.rehearsed())
def test_no_way_to_a_real_account_is_left(tmp_path: Path, target: str) -> None:
    environ = dict(REAL)
    Rehearsal(Home(tmp_path), target).enter(environ)
    assert environ["PATH"] == "/bin"
    left = {name: value for name, value in environ.items() if name in REAL and name != "PATH"}
    assert not set(left.values()) & set(REAL.values())
    assert not [name for name in environ if name.startswith("PULUMI_")]
    assert not Path(environ["GOOGLE_APPLICATION_CREDENTIALS"]).exists()


def test_stand_ins_are_reached_past_a_proxy(tmp_path: Path) -> None:
    environ = {"HTTP_PROXY": "http://proxy.example", "NO_PROXY": "intranet.example"}
    Rehearsal(Home(tmp_path), "gcp-cloud-run").enter(environ)
    assert environ["NO_PROXY"] == environ["no_proxy"] == "intranet.example,127.0.0.1"


def test_aws_is_the_endpoint_on_this_machine(tmp_path: Path) -> None:
    environ = dict(REAL)
    Rehearsal(Home(tmp_path), "aws-beanstalk").enter(environ)
    assert environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "[default]" in Path(environ["AWS_CONFIG_FILE"]).read_text()
    assert environ["AWS_EC2_METADATA_DISABLED"] == "true"


def test_state_passphrase_and_pulumi_home_are_the_rehearsal_s_own(tmp_path: Path) -> None:
    rehearsal = Rehearsal(Home(tmp_path), "gcp-cloud-run")
    backend = rehearsal.backend()
    assert backend.folder() == tmp_path / "state"
    assert backend.env["PULUMI_HOME"] == str(tmp_path / "pulumi")
    file = Path(backend.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert rehearsal.backend().passphrase == backend.passphrase, "it is made once"


def test_the_only_plugin_that_is_borrowed_is_docker_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    for name in ("resource-docker-v5.2.0", "resource-gcp-v10.2.0", "resource-aws-v7.51.1"):
        (real / "plugins" / name).mkdir(parents=True)
        (real / "plugins" / name / "plugin").touch()
    monkeypatch.setenv("PULUMI_HOME", str(real))
    Rehearsal(Home(tmp_path / "home"), "gcp-cloud-run").backend()
    plugins = tmp_path / "home" / "pulumi" / "plugins"
    assert [one.name for one in plugins.iterdir()] == ["resource-docker-v5.2.0"]
    assert (plugins / "resource-docker-v5.2.0" / "plugin").is_file()


def test_a_deployment_never_takes_the_state_of_a_rehearsal(tmp_path: Path) -> None:
    backend = Rehearsal(Home(tmp_path), "gcp-cloud-run").backend()
    with pytest.raises(StateError, match="holds rehearsals"):
        workspace.require_real(backend)


def test_what_has_no_stand_in_and_no_cluster_is_not_rehearsed(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="nothing to rehearse on docker"):
        Rehearsal(Home(tmp_path), "docker")


def test_an_unknown_fault_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no fault"):
        Rehearsal(Home(tmp_path / "home"), "gcp-cloud-run", ["earthquake"])
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("target", "fault"),
    [("gcp-cloud-run", "swap-fails"), ("aws-beanstalk", "slow-grant@staging"), ("gke", "eventual")],
)
def test_a_fault_that_would_never_strike_is_refused(tmp_path: Path, target: str, fault: str) -> None:
    with pytest.raises(RefusedError, match="would never strike") as refused:
        Rehearsal(Home(tmp_path / "home"), target, [fault])
    assert fault.partition("@")[0] not in str(refused.value.fix)


def test_each_played_target_has_its_faults_and_each_fault_a_target() -> None:
    assert set(OF) == {one.name for one in every() if one.standin is not None}
    assert set(KINDS) == set().union(*OF.values())
