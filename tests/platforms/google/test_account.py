from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.auth import compute_engine, identity_pool
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2 import credentials as people

from curtainup.errors import SetupError
from curtainup.platforms.google import account
from curtainup.platforms.google.account import RealGoogle
from curtainup.platforms.google.api import Endpoints
from tests import loopback
from tests.accounts.google_account import EMAIL, TOKEN, Project
from tests.accounts.servers import Answer

pytestmark = pytest.mark.usefixtures("nobody")


def _refusal() -> SetupError:
    with pytest.raises(SetupError) as caught:
        RealGoogle().access_token()
    return caught.value


@pytest.mark.usefixtures("google")
def test_a_service_account_has_a_token_for_apis_and_one_for_services() -> None:
    assert RealGoogle().access_token() == TOKEN
    assert account.credentials().service_account_email == EMAIL
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
    assert error.what == "cannot reach Google Cloud"
    assert "HTTPS_PROXY" in str(error.fix)


@pytest.mark.usefixtures("google")
def test_no_identity_names_the_impersonation_and_the_variable(project: Project) -> None:
    project.token = Answer.of({"access_token": TOKEN, "expires_in": 3600})
    with pytest.raises(SetupError, match="give no identity token") as caught:
        RealGoogle().identity_token("https://shop-live.a.run.app")
    assert caught.value.where == "for https://shop-live.a.run.app"
    assert "--impersonate-service-account ACCOUNT" in str(caught.value.fix)
    assert "export GOOGLE_APPLICATION_CREDENTIALS=" in str(caught.value.fix)


class Iam(BaseHTTPRequestHandler):
    """Signs for the deployer when asked as documented, and refuses everything else."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = (
            self.path == f"/v1/projects/-/serviceAccounts/{EMAIL}:generateIdToken"
            and self.headers["Authorization"] == f"Bearer {TOKEN}"
            and asked == {"audience": "https://shop-live.a.run.app", "includeEmail": True}
        )
        said = json.dumps({"token": "signed"} if right else {"error": {"status": "PERMISSION_DENIED"}})
        self.send_response(200 if right else 403)
        self.end_headers()
        self.wfile.write(said.encode())


@pytest.fixture
def iam() -> Iterator[str]:
    with loopback.serving(Iam) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def federated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's library makes no identity of them; it looks for a metadata server for seconds."""

    def nothing(_request: object, _audience: str) -> str:
        raise DefaultCredentialsError("no service account")  # type: ignore[no-untyped-call]

    monkeypatch.setattr("google.oauth2.id_token.fetch_id_token", nothing)


@pytest.fixture
def metadata_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is one of Google Cloud, as a self-hosted runner may be, and has an identity of its own."""
    monkeypatch.setattr("google.oauth2.id_token.fetch_id_token", lambda *_: "the machine's identity")


@pytest.mark.usefixtures("metadata_server")
def test_a_job_on_a_machine_of_google_cloud_is_who_the_ci_system_says(
    iam: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = identity_pool.Credentials(  # type: ignore[no-untyped-call]
        audience="//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        credential_source={"file": "token"},
        service_account_impersonation_url=(
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
        ),
    )
    found.token = TOKEN
    monkeypatch.setattr(account, "credentials", lambda: found)
    assert RealGoogle(iam).identity_token("https://shop-live.a.run.app") == "signed"


@pytest.mark.usefixtures("metadata_server")
def test_a_person_on_a_machine_of_google_cloud_is_that_person(monkeypatch: pytest.MonkeyPatch) -> None:
    found = people.Credentials(TOKEN, id_token="the person's identity")  # type: ignore[no-untyped-call]
    monkeypatch.setattr(account, "credentials", lambda: found)
    assert RealGoogle().identity_token("https://shop-live.a.run.app") == "the person's identity"


@pytest.mark.usefixtures("metadata_server")
def test_a_machine_s_own_credentials_are_its_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "credentials", compute_engine.Credentials)
    assert RealGoogle().identity_token("https://shop-live.a.run.app") == "the machine's identity"


@pytest.mark.usefixtures("federated")
def test_federated_credentials_have_their_identity_signed(iam: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(token=TOKEN, service_account_email=EMAIL)
    monkeypatch.setattr(account, "credentials", lambda: found)
    assert RealGoogle(iam).identity_token("https://shop-live.a.run.app") == "signed"


@pytest.mark.usefixtures("federated")
@pytest.mark.parametrize("email", ["stranger@elsewhere.example", None, "default"])
def test_who_may_not_ask_for_a_signature_is_told_what_to_do(
    iam: str, monkeypatch: pytest.MonkeyPatch, email: str | None
) -> None:
    monkeypatch.setattr(
        account, "credentials", lambda: SimpleNamespace(token=TOKEN, service_account_email=email)
    )
    with pytest.raises(SetupError, match="give no identity token") as caught:
        RealGoogle(iam).identity_token("https://shop-live.a.run.app")
    assert "serviceAccountOpenIdTokenCreator" in str(caught.value.fix)


@pytest.mark.usefixtures("federated")
def test_a_signer_that_is_not_there_gives_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        account, "credentials", lambda: SimpleNamespace(token=TOKEN, service_account_email=EMAIL)
    )
    with pytest.raises(SetupError, match="give no identity token"):
        RealGoogle("http://127.0.0.1:9").identity_token("https://shop-live.a.run.app")
