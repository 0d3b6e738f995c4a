from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.google import account, gke, kube_login
from curtainup.platforms.google.api import Endpoints
from tests.accounts.google_account import DENIED, DISABLED, refusal
from tests.accounts.servers import Answer, Request, serving

PLACE = "projects/p/locations/europe-west1/clusters/shops"
CERTIFICATE = "projects/p/locations/global/certificates/shop-live"
CLUSTER = {
    "status": "RUNNING",
    "endpoint": "198.51.100.4",
    "masterAuth": {"clusterCaCertificate": "Q0E="},
}


@dataclass
class Google:
    """What Google's APIs say, by path."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    endpoints: Endpoints = field(default_factory=Endpoints)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.get(request.path, refusal(404, "NOT_FOUND", "Not found."))


@pytest.fixture
def google() -> Iterator[Google]:
    found = Google()
    with serving(found.answer) as url:
        found.endpoints = Endpoints(container=url, certificates=url)
        yield found


def _kubeconfig(google: Google) -> dict[str, Any] | None:
    return gke.kubeconfig("a-token", PLACE, "gke_p", google.endpoints)


def test_a_kubeconfig_leads_to_the_cluster_and_holds_no_credentials(google: Google) -> None:
    google.answers[f"/v1/{PLACE}"] = Answer.of(CLUSTER)
    found = _kubeconfig(google)
    assert found is not None
    assert found["clusters"] == [
        {
            "name": "gke_p",
            "cluster": {"server": "https://198.51.100.4", "certificate-authority-data": "Q0E="},
        }
    ]
    assert found["contexts"][0]["context"] == {"cluster": "gke_p", "user": "gke_p"}
    assert found["users"][0]["user"]["exec"]["args"][-1] == "curtainup.platforms.google.kube_login"
    assert "a-token" not in json.dumps(found)
    assert google.asked[0].headers["authorization"] == "Bearer a-token"


@pytest.mark.parametrize("answer", [None, DISABLED])
def test_a_cluster_that_is_not_there_has_none(google: Google, answer: Answer | None) -> None:
    if answer is not None:
        google.answers[f"/v1/{PLACE}"] = answer
    assert _kubeconfig(google) is None


def test_a_cluster_that_is_being_made_is_told(google: Google) -> None:
    google.answers[f"/v1/{PLACE}"] = Answer.of({**CLUSTER, "status": "PROVISIONING"})
    with pytest.raises(SetupError, match="the cluster is PROVISIONING"):
        _kubeconfig(google)


def test_a_cluster_with_a_dns_endpoint_alone_is_told(google: Google) -> None:
    google.answers[f"/v1/{PLACE}"] = Answer.of({one: CLUSTER[one] for one in CLUSTER if one != "endpoint"})
    with pytest.raises(SetupError, match="has no IP address") as caught:
        _kubeconfig(google)
    assert "--enable-ip-access" in str(caught.value.fix)


def test_what_google_does_not_allow_is_told(google: Google) -> None:
    google.answers[f"/v1/{PLACE}"] = DENIED
    with pytest.raises(SetupError, match="tells nothing of the cluster") as caught:
        _kubeconfig(google)
    assert "docs/gke.md" in str(caught.value.fix)


@pytest.mark.parametrize(("state", "there"), [("ACTIVE", True), ("PROVISIONING", False), (None, False)])
def test_a_certificate_is_there_once_google_has_issued_it(
    google: Google, state: str | None, *, there: bool
) -> None:
    if state is not None:
        google.answers[f"/v1/{CERTIFICATE}"] = Answer.of({"managed": {"state": state}})
    assert gke.is_certified("a-token", CERTIFICATE, google.endpoints) is there


def test_the_login_is_a_token_with_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = SimpleNamespace(token="ya29", expiry=datetime(2026, 11, 29, 8, 0, 5, 123))  # noqa: DTZ001 - as Google's
    monkeypatch.setattr(account, "credentials", lambda: found)
    assert kube_login.main() == 0
    assert json.loads(capsys.readouterr().out) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "ya29", "expirationTimestamp": "2026-11-29T08:00:05Z"},
    }


def test_a_login_without_an_account_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise SetupError("there are no Google Cloud credentials", fix="gcloud auth application-default login")

    monkeypatch.setattr(account, "credentials", none)
    assert kube_login.main() == SetupError.exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert "gcloud auth application-default login" in told.err
