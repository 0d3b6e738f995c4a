from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from curtainup.images import registry
from curtainup.model.contract import RegistrySettings
from curtainup.platforms import amazon
from tests.sessions import World, world

CLOUD_RUN = "deploy_target: gcp-cloud-run\ngcp_region: europe-west1\n"
BEANSTALK = "deploy_target: aws-beanstalk\naws_region: eu-west-1\n"
ECR_HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


class Google:
    """An account whose tokens are told apart by what they were asked for."""

    def identity_token(self, audience: str) -> str:
        return f"identity for {audience}"

    def access_token(self) -> str:
        return "google-token"

    def registry_host(self, region: str) -> str:
        return f"{region}-docker.pkg.dev"

    grant_seconds = 0.0


def _world(folder: Path, text: str, environ: dict[str, str] | None = None) -> World:
    found = world(folder, text, environ=environ)
    found.session.accounts.__dict__["google"] = Google()
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The regions for which AWS was asked for a login."""
    regions: list[str] = []

    def login(region: str, profile: str | None) -> amazon.RegistryLogin:
        assert profile is None
        regions.append(region)
        return amazon.RegistryLogin(ECR_HOST, "AWS", "aws-token")

    monkeypatch.setattr(amazon, "registry_login", login)
    return regions


def test_the_images_of_cloud_run_go_to_the_artifact_registry_of_its_project(tmp_path: Path) -> None:
    session = _world(tmp_path, f"{CLOUD_RUN}docker_repo: my-project\n").session
    chosen = registry.choose(session, None)
    assert (chosen.kind, chosen.project, chosen.region) == ("artifact-registry", "my-project", "europe-west1")
    assert registry.repository(session, chosen) == "europe-west1-docker.pkg.dev/my-project/shop/shop"


def test_the_images_of_beanstalk_go_to_the_account_s_ecr(tmp_path: Path, asked: list[str]) -> None:
    session = _world(tmp_path, BEANSTALK).session
    chosen = registry.choose(session, None)
    assert (chosen.kind, chosen.region) == ("ecr", "eu-west-1")
    assert registry.repository(session, chosen) == f"{ECR_HOST}/shop"
    assert registry.choose(session, chosen) is chosen
    assert asked == ["eu-west-1"], "an account's registry does not move, so it is asked for once"


def test_another_region_is_another_registry(tmp_path: Path, asked: list[str]) -> None:
    known = RegistrySettings(kind="ecr", host="elsewhere", region="us-east-1")
    assert registry.choose(_world(tmp_path, BEANSTALK).session, known).host == ECR_HOST
    assert asked == ["eu-west-1"]


@pytest.mark.parametrize("target", ["", CLOUD_RUN, BEANSTALK])
@pytest.mark.parametrize(
    ("repo", "host", "name"),
    [
        ("gcr.io/my-project", "gcr.io", "gcr.io/my-project/shop"),
        ("docker.io/team", "docker.io", "docker.io/team/shop"),
        ("registry.example:5000/a/b", "registry.example:5000", "registry.example:5000/a/b/shop"),
    ],
)
def test_a_registry_that_is_named_is_used_on_every_target(
    tmp_path: Path, target: str, repo: str, host: str, name: str
) -> None:
    session = _world(tmp_path, f"{target}docker_repo: {repo}\n").session
    chosen = registry.choose(session, None)
    assert (chosen.kind, chosen.host) == ("given", host)
    assert registry.repository(session, chosen) == name
    with registry.logged_in(session, chosen) as variables:
        assert variables == {}, "Docker's own login counts"


def test_an_account_without_a_host_is_one_on_docker_hub(tmp_path: Path) -> None:
    session = _world(tmp_path, "docker_repo: team\n").session
    chosen = registry.choose(session, None)
    assert registry.repository(session, chosen) == "docker.io/team/shop"


def test_a_short_lived_login_is_there_for_the_push_alone(tmp_path: Path, asked: list[str]) -> None:
    own = tmp_path / "docker"
    own.mkdir()
    helpers = {ECR_HOST: "ecr-login", "gcr.io": "gcloud"}
    kept = {"auths": {"other.example": {"auth": "eA=="}}, "credHelpers": helpers, "credsStore": "desktop"}
    (own / "config.json").write_text(json.dumps(kept))
    session = _world(tmp_path, BEANSTALK, {"DOCKER_CONFIG": str(own)}).session
    with registry.logged_in(session, registry.choose(session, None)) as variables:
        file = Path(variables["DOCKER_CONFIG"]) / "config.json"
        config = json.loads(file.read_text())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()
    assert base64.b64decode(config["auths"][ECR_HOST]["auth"]) == b"AWS:aws-token"
    assert config["auths"]["other.example"] == {"auth": "eA=="}
    assert config["credHelpers"] == {"gcr.io": "gcloud"}, "a helper would come before the login"
    assert "credsStore" not in config


def test_google_takes_an_access_token_as_the_password(tmp_path: Path) -> None:
    session = _world(tmp_path, f"{CLOUD_RUN}docker_repo: my-project\n").session
    chosen = registry.choose(session, None)
    with registry.logged_in(session, chosen) as variables:
        config = json.loads((Path(variables["DOCKER_CONFIG"]) / "config.json").read_text())
    assert base64.b64decode(config["auths"][chosen.host]["auth"]) == b"oauth2accesstoken:google-token"


APART = "docker_host: ssh://shop\nenvironments: {staging: {docker_host: ssh://10.0.0.5}}\n"


@pytest.mark.parametrize(
    ("staging", "led"), [("STAGING", ["shop 5001", "10.0.0.5 back 5001"]), ("SHOP", ["shop 5001"])]
)
def test_each_machine_reaches_the_registry_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staging: str, led: list[str]
) -> None:
    session = world(tmp_path, APART).session
    done: list[str] = []
    for one, engine in zip(session.everywhere, ("SHOP", staging), strict=True):
        host = str(one.accounts.host).removeprefix("ssh://")
        ways = SimpleNamespace(
            lead=lambda port, host=host: done.append(f"{host} {port}"),
            lead_back=lambda port, host=host: done.append(f"{host} back {port}"),
        )
        one.accounts.__dict__.update(host=ways, engine=SimpleNamespace(real_id=engine))

    registry.open_to_hosts(session, RegistrySettings(kind="local", host="127.0.0.1:5001", local_port=5001))
    assert done == led
