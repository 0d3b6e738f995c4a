"""Google's APIs answer only so many calls, whoever makes them; the provider and curtainup wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.platforms.google import api
from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.front import TOKEN
from curtainup.rehearsal.gcp.account import StandinGoogle
from curtainup.rehearsal.gcp.common import STATE
from curtainup.rehearsal.gcp.project import Service
from curtainup.rehearsal.gcp.secret_manager import Secret
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from curtainup.rehearsal.rate import CALLS

PROJECT = "demo-project"
LIVE = f"projects/{PROJECT}/locations/europe-west1/services/shop-live"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def google(tmp_path: Path) -> StandinGoogle:
    home = Home(tmp_path)
    with home.cloud(STATE) as state:
        state["projects"] = {PROJECT: {"services": {"europe-west1/shop-live": SERVICE}}}
    return StandinGoogle(home, Faults.parse(["throttle"]))


SERVICE = {"uid": "1", "createTime": "", "updateTime": ""}


@pytest.fixture
def impatient(google: StandinGoogle, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(api, "PATIENCE", ())
    return Api(HEADERS, Endpoints(run=google.run_api, logging=google.logging_api))


def test_one_call_too_many_is_refused_and_those_of_staging_are_not(impatient: Api) -> None:
    for _ in range(CALLS):
        assert impatient.run("GET", LIVE)["name"] == LIVE
    with pytest.raises(Refused) as refused:
        impatient.run("GET", LIVE)
    assert (refused.value.status, refused.value.reason) == (429, "RESOURCE_EXHAUSTED")
    assert refused.value.message.startswith(
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per region' of "
        "service 'run.googleapis.com' for consumer 'project_number:"
    )
    with pytest.raises(Refused) as refused:
        impatient.run("GET", LIVE.replace("live", "staging"))
    assert refused.value.status == 404


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_questions_count_as_what_they_ask_about(impatient: Api, method: str) -> None:
    place, _, name = LIVE.rpartition("/")
    path = f"{place}?serviceId={name}&" if method == "POST" else f"{LIVE}?"
    for _ in range(CALLS):
        with pytest.raises(Refused) as refused:
            impatient.run(method, f"{path}validateOnly=true", {})
        assert refused.value.status == 403
    with pytest.raises(Refused, match="Write requests per minute per region"):
        impatient.run(method, f"{path}validateOnly=true", {})


def test_curtainup_asks_again_until_it_is_answered(google: StandinGoogle) -> None:
    patient = Api(HEADERS, Endpoints(run=google.run_api))
    assert [patient.run("GET", LIVE)["name"] for _ in range(2 * CALLS)] == [LIVE] * 2 * CALLS


def test_the_provider_and_curtainup_share_the_rate(google: StandinGoogle, impatient: Api) -> None:
    made = Cloud(google.home, google.faults, {"project": PROJECT})
    Service(made).create({"service": "secretmanager.googleapis.com"})
    for number in range(CALLS):
        Secret(made).create({"secretId": f"shop-live-{number}", "replication": {"auto": {}}})
    with pytest.raises(Refused):
        impatient.run("GET", LIVE)
    Secret(made).create({"secretId": "shop-live-last", "replication": {"auto": {}}})


def test_who_reads_logs_too_often_is_refused(google: StandinGoogle, impatient: Api) -> None:
    asked = {
        "resourceNames": [f"projects/{PROJECT}"],
        "filter": 'resource.labels.service_name="shop-live"',
        "pageSize": 10,
    }
    for _ in range(CALLS):
        google.faults.throttles("shop-live")
    with pytest.raises(Refused, match="Read requests per minute' of service 'logging"):
        impatient.entries(asked)
