"""What Cloud Run is asked before anything is built: Google's own message types and the program judge it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict, ParseDict

from curtainup.errors import RefusedError
from curtainup.platforms.google.api import Api, Endpoints
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.front import TOKEN
from curtainup.rehearsal.gcp.cloud_run import endpoint
from curtainup.rehearsal.gcp.common import STATE
from curtainup.rehearsal.home import Home
from curtainup.targets.cloud_run import preflight
from tests.components.cloud_run import api as cloud_run_api
from tests.components.cloud_run.samples import SERVICE, SETTINGS, deployment, environment, rendered
from tests.rehearsal.refusals import rows

SIZES: list[dict[str, Any]] = [{}, {"cpus": 0.5, "concurrency": 1}, {"cpus": 4, "memory_mb": 4096}]


def _service(document: dict[str, Any]) -> Any:
    parsed = run_v2.Service()
    ParseDict(document, run_v2.Service.pb(parsed), ignore_unknown_fields=False)
    return MessageToDict(run_v2.Service.pb(parsed))


@pytest.mark.parametrize("grant", [True, False])
def test_it_is_what_the_program_declares_but_for_what_is_not_known_yet(grant: bool) -> None:
    place = environment(public_grant=grant)
    asked = _service(preflight.body(place, SETTINGS))
    declared = MessageToDict(
        run_v2.Service.pb(
            cloud_run_api.service(rendered(deployment(100), public_grant=grant).one(SERVICE).inputs, "team-1")
        )
    )
    for found in (asked, declared):
        found.pop("traffic")
        found.pop("name", None)
        template = found["template"]
        for unknown in ("revision", "serviceAccount", "labels"):
            template.pop(unknown, None)
        [container] = template["containers"]
        container.pop("image")
        container["env"] = [one["name"] for one in container["env"]]
        for probe in ("startupProbe", "livenessProbe"):
            container[probe].pop("initialDelaySeconds", None)
    assert asked == declared


@pytest.mark.parametrize("size", SIZES)
def test_google_s_own_message_types_take_it(size: dict[str, Any]) -> None:
    found = _service(preflight.body(environment(), SETTINGS.model_copy(update=size)))
    assert [one["tag"] for one in found["traffic"]] == [preflight.TAG]


@pytest.fixture
def project(tmp_path: Path) -> tuple[Home, Api]:
    home = Home(tmp_path)
    with home.cloud(STATE) as state:
        state["projects"] = {"team-1": {"apis": ["run.googleapis.com"]}}
    url = endpoint.serve(home, Faults())
    return home, Api({"Authorization": f"Bearer {TOKEN}"}, Endpoints(run=url))


def _complaint(api: Api, *, exists: bool = False, **changed: Any) -> Any:
    place = {key: changed.pop(key) for key in ("service", "name") if key in changed}
    settings = SETTINGS.model_copy(update=changed)
    return preflight.complaint(api, environment(**{"name": "staging", **place}), settings, exists=exists)


@pytest.mark.parametrize("exists", [True, False])
def test_what_cloud_run_takes_is_no_complaint(project: tuple[Home, Api], exists: bool) -> None:
    assert _complaint(project[1], exists=exists) is None


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"service": "a-name-of-forty-two-characters-and-no-less"}, "together are too long"),
        ({"memory_mb": 16384}, "Invalid value specified for container"),
    ],
)
def test_what_cloud_run_refuses_is_told_in_its_own_words(
    project: tuple[Home, Api], exists: bool, changed: dict[str, Any], said: str
) -> None:
    found = _complaint(project[1], exists=exists, **changed)
    assert isinstance(found, RefusedError)
    assert said in str(found.detail)
    assert found.consequence == "Cloud Run was only asked, so nothing was built or changed"


def test_a_quota_is_told_with_what_to_do(project: tuple[Home, Api]) -> None:
    home, api = project
    with home.cloud(STATE) as state:
        state["projects"]["team-1"]["mostInstances"] = 5
    found = _complaint(api)
    [row] = [one for one in rows() if one["refusal"] == "cpu-quota"]
    assert row["told"] in found.what
    assert row["fix"] in found.fix


@pytest.mark.parametrize("needed", ["run.services.create", "run.services.update"])
def test_a_permission_that_the_deployer_lacks_is_told_before_anything_is_built(
    project: tuple[Home, Api], needed: str
) -> None:
    home, api = project
    exists = needed == "run.services.update"
    with home.cloud(STATE) as state:
        part = state["projects"]["team-1"]
        part["lacking"] = [needed]
        if exists:
            part["services"] = {f"{environment().region}/shop-staging": {}}
    found = _complaint(api, exists=exists)
    assert isinstance(found, RefusedError)
    assert found.what == "the deployer lacks a permission, or the project does not exist"
    assert "curtainup doctor" in str(found.fix)
    assert needed in str(found.detail)


def test_an_api_that_the_deployment_enables_is_no_complaint(project: tuple[Home, Api]) -> None:
    home, api = project
    with home.cloud(STATE) as state:
        state["projects"]["team-1"]["apis"] = []
    assert _complaint(api, service="a-name-of-forty-two-characters-and-no-less") is None


def test_nothing_is_made_by_a_question(project: tuple[Home, Api]) -> None:
    home, api = project
    _complaint(api)
    with home.cloud(STATE) as state:
        assert state["projects"]["team-1"] == {"apis": ["run.googleapis.com"]}
