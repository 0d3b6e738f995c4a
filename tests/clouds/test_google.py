from __future__ import annotations

import json
from pathlib import Path

import pytest

from curtainup.clouds import google
from curtainup.clouds.google import RealGoogle
from curtainup.clouds.google_api import Endpoints
from curtainup.errors import SetupError
from tests.clouds.google_account import EMAIL, TOKEN, Project
from tests.clouds.servers import Answer


def _refusal() -> SetupError:
    with pytest.raises(SetupError) as caught:
        RealGoogle().access_token()
    return caught.value


@pytest.mark.usefixtures("google")
def test_a_service_account_has_a_token_for_apis_and_one_for_services() -> None:
    assert RealGoogle().access_token() == TOKEN
    assert google.credentials().service_account_email == EMAIL
    assert RealGoogle().identity_token("https://shop-live.a.run.app").count(".") == 2


def test_images_go_to_the_region_s_registry() -> None:
    assert RealGoogle().registry_host("europe-west1") == "europe-west1-docker.pkg.dev"


def test_a_deployer_without_credentials_is_told_how_to_get_them() -> None:
    error = _refusal()
    assert error.what == "there are no Google Cloud credentials"
    assert "gcloud auth application-default login" in str(error.fix)
    assert error.consequence == "nothing was built or changed"


def test_a_key_that_is_not_where_the_variable_says_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone.json"))
    error = _refusal()
    assert error.what == "there are no Google Cloud credentials"
    assert "gone.json" in str(error.detail)


@pytest.mark.usefixtures("google")
def test_a_key_that_was_taken_back_is_not_accepted(project: Project) -> None:
    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    project.token = Answer.of(refused, 400)
    error = _refusal()
    assert error.what == "Google does not accept the credentials"
    assert "Invalid JWT Signature" in str(error.detail)
    assert "gcloud auth application-default login" in str(error.fix)


def test_nothing_is_said_about_credentials_where_the_network_is_down(
    google: Endpoints, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    key = json.loads(file.read_text())
    file.write_text(json.dumps({**key, "token_uri": "http://127.0.0.1:9/token"}))
    error = _refusal()
    assert error.what == "Google Cloud is not reached"
    assert "HTTPS_PROXY" in str(error.fix)


@pytest.mark.usefixtures("google")
def test_no_identity_names_the_impersonation_and_the_variable(project: Project) -> None:
    project.token = Answer.of({"access_token": TOKEN, "expires_in": 3600})
    with pytest.raises(SetupError, match="give no identity token") as caught:
        RealGoogle().identity_token("https://shop-live.a.run.app")
    assert caught.value.where == "for https://shop-live.a.run.app"
    assert "--impersonate-service-account ACCOUNT" in str(caught.value.fix)
    assert "export GOOGLE_APPLICATION_CREDENTIALS=" in str(caught.value.fix)
