from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from curtainup.environments import rollout as rollouts
from curtainup.environments.rollout import Rollout
from curtainup.errors import EngineFailed, RefusedError, ReleaseUnhealthy, SetupError, TrafficReturned
from curtainup.model.environment import Environment
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.platforms.google.account import project_of
from curtainup.targets.cloud_run import PUBLIC_ACCESS, SERVICE, SPEC
from curtainup.targets.cloud_run.target import CloudRunTarget
from tests import loopback, samples
from tests.images.test_registry import CLOUD_RUN, Google
from tests.sessions import World, world

TEXT = f"{CLOUD_RUN}docker_repo: my-project\n"
IMAGE = "europe-west1-docker.pkg.dev/my-project/shop/shop@sha256:" + "d" * 64
NOW = datetime(2026, 11, 21, tzinfo=UTC)
NOT_ENABLED = "Error 403: Secret Manager API has not been used in project 1 before or it is disabled."
NOT_READY = "Revision 'shop-live-r1' is not ready and cannot serve traffic."


def _world(folder: Path, text: str = TEXT) -> World:
    found = world(folder, text)
    found.session.accounts.__dict__["google"] = Google()
    return found


def _rollout(folder: Path, text: str = TEXT) -> Rollout:
    rollout = Rollout(_world(folder, text).session, "live")
    rollout.prepare(allow_replace=False)
    return rollout


def _bound(found: World, environment: Environment) -> CloudRunTarget:
    """The target of an environment that is as it is."""
    return CloudRunTarget(found.session, "live", lambda: environment)


def test_a_release_runs_with_what_the_keys_say(tmp_path: Path) -> None:
    text = f"{TEXT}gcp_memory: 1G\ngcp_request_concurrency: 8\ncpus: 2\nstart_timeout: 33\n"
    settings = _rollout(tmp_path, text).runtime()
    assert isinstance(settings, CloudRunSettings)
    assert (settings.memory_mb, settings.concurrency, settings.cpus) == (1024, 8, 2)
    assert settings.start_timeout == 33
    assert settings.env["PYM_ENV"] == "shop-live"


def test_the_environment_is_the_project_s_and_the_region_s(tmp_path: Path) -> None:
    text = f"{TEXT}gcp_min_instances: 1\ngcp_max_instances: 7\nready_timeout: 90\n"
    settings = _rollout(tmp_path, text).environment.settings
    assert isinstance(settings, CloudRunEnvironment)
    assert (settings.project, settings.region) == ("my-project", "europe-west1")
    assert (settings.min_instances, settings.max_instances, settings.ready_timeout) == (1, 7, 90)


@pytest.mark.parametrize(
    ("repo", "project"),
    [("my-project", "my-project"), ("gcr.io/my-project", "my-project"), ("eu.gcr.io/p/a", "p")],
)
def test_the_project_is_in_docker_repo(repo: str, project: str) -> None:
    assert project_of(repo) == project


@pytest.mark.parametrize("change", [("europe-west1", "europe-west4"), ("my-project", "other-project")])
def test_an_environment_does_not_move_to_another_place(tmp_path: Path, change: tuple[str, str]) -> None:
    there = _rollout(tmp_path).environment
    rollout = Rollout(_world(tmp_path, TEXT.replace(*change)).session, "live")
    rollout.environment = there
    with pytest.raises(RefusedError, match=f"is now configured for {change[1]}"):
        rollout.prepare(allow_replace=True)


def test_an_environment_does_not_move_to_another_target(tmp_path: Path) -> None:
    rollout = Rollout(_world(tmp_path).session, "live")
    rollout.environment = Environment("shop-live", samples.environment(), samples.deployment(100))
    with pytest.raises(RefusedError, match="is on docker, and is now configured for gcp-cloud-run"):
        rollout.prepare(allow_replace=True)


def test_a_release_that_failed_comes_again_under_another_id(tmp_path: Path) -> None:
    """Cloud Run never takes a revision's name for another attempt."""
    rollout = _rollout(tmp_path)
    first = rollout.new_release(IMAGE, "v1")
    assert (first.attempt, first.address) == (0, None)
    rollout.environment = _spent(rollout.environment, first.id)
    second = rollout.new_release(IMAGE, "v1")
    assert (second.attempt, second.id != first.id) == (1, True)
    assert rollout.release_id(IMAGE) == second.id


def _spent(environment: Environment, *ids: str) -> Environment:
    from curtainup.environments import stack

    return stack.spending(environment, ids)


def test_an_account_and_the_plugin_are_there_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = _world(tmp_path)
    with pytest.raises(SetupError, match="gcp plugin"):
        _bound(found, Environment("shop-live")).require_ready()
    (tmp_path / "pulumi-resource-gcp").touch(mode=0o755)
    _bound(found, Environment("shop-live")).require_ready()
    del found.session.accounts.__dict__["google"]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))
    with pytest.raises(SetupError, match="no Google Cloud credentials"):
        _bound(found, Environment("shop-live")).require_ready()


def test_who_was_never_proven_is_reached_by_identity_alone(tmp_path: Path) -> None:
    asked: list[str | None] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("X-Serverless-Authorization"))
            self.send_response(204)
            self.end_headers()

    with loopback.serving(Asked) as port:
        url = f"http://127.0.0.1:{port}"
        found = _world(tmp_path)
        staged = Environment(
            "shop-live", deployment=samples.deployment(0), outputs={"url": "https://service"}
        )
        public = Environment("shop-live", deployment=samples.deployment(100))
        with _bound(found, staged).reachable(url) as door:
            requests.get(door, timeout=60)
        with _bound(found, public).reachable(url) as door:
            assert door == url
    assert asked == ["Bearer identity for https://service"]
    assert _bound(found, staged).is_private()
    assert not _bound(found, public).is_private()


SECRET = f"{TEXT}env_secrets: [KEY]\n"


def test_what_takes_minutes_is_made_once_and_again_for_another_secret(tmp_path: Path) -> None:
    bare = _bound(_world(tmp_path), Environment("shop-live"))
    assert bare.lacks_ground()
    laid = Environment("shop-live", outputs={"granted": []})
    assert not _bound(_world(tmp_path), laid).lacks_ground()
    assert _bound(_world(tmp_path, SECRET), laid).lacks_ground()
    granted = Environment("shop-live", outputs={"granted": ["KEY", "OLD"]})
    assert not _bound(_world(tmp_path, SECRET), granted).lacks_ground()


SCHEDULE = f'{TEXT}schedule: {{cleanup: {{command: work, cron: "0 3 * * *"}}}}\n'


def test_what_schedules_need_is_made_before_the_first_release_that_has_any(tmp_path: Path) -> None:
    without = Environment("shop-live", outputs={"granted": []})
    assert _bound(_world(tmp_path, SCHEDULE), without).lacks_ground()
    there = Environment("shop-live", outputs={"granted": [], "scheduler": "shop-live-scheduler@x"})
    target = _bound(_world(tmp_path, SCHEDULE), there)
    assert not target.lacks_ground()
    wanted = target.settings()
    assert wanted.schedules
    before = wanted.model_copy(update={"schedules": False})
    assert target.ground_of(before, wanted) == wanted
    assert target.ground_of(wanted, before) == wanted, "those of a kept release stay"


def test_a_release_has_its_schedules_in_its_settings_and_its_id(tmp_path: Path) -> None:
    [cleanup] = _bound(_world(tmp_path, SCHEDULE), Environment("shop-live")).runtime().schedules
    assert (cleanup.name, cleanup.command, cleanup.cron) == ("cleanup", ("work",), "0 3 * * *")
    without = _bound(_world(tmp_path), Environment("shop-live")).runtime()
    assert "schedules" not in without.model_dump(mode="json")


def test_a_job_that_an_update_never_made_is_named(tmp_path: Path) -> None:
    target = _bound(_world(tmp_path, SCHEDULE), Environment("shop-live", outputs={"granted": []}))
    release = samples.release(1, settings=target.runtime())
    with pytest.raises(SetupError, match="Cloud Run has no job for schedule cleanup"):
        target.schedule_runs(release)


def test_an_api_that_was_just_enabled_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollouts, "GROUND_PAUSE", 0.0)
    found = _world(tmp_path, SECRET)
    rollout, said = Rollout(found.session, "live"), list[str]()
    rollout.prepare(allow_replace=False)
    found.engine.failures = [EngineFailed(NOT_ENABLED), EngineFailed(NOT_ENABLED)]
    rollout.lay_ground(said.append)
    assert len(found.engine.ups) == 3
    assert found.engine.ups[-1][1]["environment"]["secret_names"] == ["KEY"]
    assert [one.partition(":")[0] for one in said] == ["waiting, as it is too early"] * 2
    assert not rollout.lacks_ground

    found.engine.failures = [EngineFailed(NOT_ENABLED)]
    with pytest.raises(EngineFailed, match="an API is not enabled, or was enabled only just now"):
        rollout.lay_ground(said.append, patience=-1)
    found.engine.failures = [EngineFailed("quota")]
    with pytest.raises(EngineFailed, match="quota"):
        rollout.lay_ground(said.append)


def test_the_ground_brings_no_other_setting_and_what_failed_takes_all_of_them_back(tmp_path: Path) -> None:
    found = _world(tmp_path, f"{TEXT}gcp_max_instances: 20\n")
    first = Rollout(found.session, "live")
    first.prepare(allow_replace=False)
    first.apply(first.deployment)
    again = _world(tmp_path, f"{SECRET}gcp_max_instances: 2\n")
    again.session.state.__dict__.update(found.session.state.__dict__)
    rollout = Rollout(again.session, "live")
    rollout.prepare(allow_replace=False)

    def settings() -> tuple[int, list[str]]:
        sent = found.engine.ups[-1][1]["environment"]
        return sent["max_instances"], sent["secret_names"]

    rollout.lay_ground(lambda _: None)
    assert settings() == (20, ["KEY"])
    rollout.apply(rollout.deployment)
    assert settings() == (2, ["KEY"])
    rollout.put_back(rollout.deployment, lambda _: None)
    assert settings() == (20, ["KEY"])


def test_a_release_comes_no_sooner_than_a_grant_is_typically_enforced(tmp_path: Path) -> None:
    found = _world(tmp_path, SECRET)
    found.session.accounts.google.__dict__["grant_seconds"] = 0.2
    rollout, said = Rollout(found.session, "live"), list[str]()
    rollout.prepare(allow_replace=False)
    rollout.lay_ground(said.append)
    laid = time.monotonic()
    rollout.apply(rollout.deployment, said.append)
    assert time.monotonic() - laid > 0.1
    assert said == ["waiting 0 s, until grants are enforced"]


def test_a_grant_in_place_of_the_setting_would_close_the_service_meanwhile(tmp_path: Path) -> None:
    serving = replace(_rollout(tmp_path).environment, deployment=samples.deployment(100))
    for text, refused in ((f"{TEXT}gcp_public_grant: true\n", ["gcp_public_grant"]), (TEXT, [])):
        rollout = Rollout(_world(tmp_path, text).session, "live")
        rollout.environment = serving
        assert rollout.needs_replacement() == refused


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("", True), ("gcp_public_grant: true\n", True), ("gcp_public_grant: false\n", False)],
)
def test_what_an_earlier_version_made_keeps_its_grant(tmp_path: Path, key: str, wanted: bool) -> None:
    found = _rollout(tmp_path).environment
    assert found.settings is not None
    told = {name: value for name, value in found.settings if name != "public_grant"}
    earlier = replace(found, settings=CloudRunEnvironment.model_validate(told))
    assert _bound(_world(tmp_path, TEXT + key), earlier).settings().public_grant is wanted


def test_a_new_environment_asks_for_no_grant(tmp_path: Path) -> None:
    settings = _rollout(tmp_path).environment.settings
    assert isinstance(settings, CloudRunEnvironment)
    assert settings.public_grant is False


def test_whether_anything_has_traffic_is_told_by_whether_the_public_may_call_it() -> None:
    outputs = {"trafficStatuses": [{"tag": "r1", "percent": 100}, {"tag": "r2"}]}
    granted = [{"type": PUBLIC_ACCESS}]
    assert SPEC.switch.shares(outputs, []) is None
    assert SPEC.switch.shares({**outputs, "invokerIamDisabled": False}, []) is None
    assert SPEC.switch.shares({**outputs, "invokerIamDisabled": True}, []) == {"r1": 100, "r2": 0}
    assert SPEC.switch.shares(outputs, granted) == {"r1": 100, "r2": 0}


def test_what_is_rendered_is_told_by_the_name_of_the_revision() -> None:
    rendered = SPEC.rendered
    assert rendered is not None
    service = {"type": SERVICE, "inputs": {"template": {"revision": "shop-live-r0000002"}}}
    assert rendered([service]) == "r0000002"
    assert rendered([{**service, "delete": True}]) == ""
    assert rendered([{"type": SERVICE, "inputs": {}}]) == ""
    assert rendered([]) == ""


def test_the_split_is_what_cloud_run_tells(tmp_path: Path) -> None:
    """Its answers name no release, so what it tells is the evidence."""
    found = _world(tmp_path)
    outputs = {"traffic_statuses": {"r0000001": 0, "r0000002": 100}}
    bound = _bound(found, Environment("shop-live", deployment=samples.deployment(0, 100), outputs=outputs))
    bound.require_moved({"r0000001": 0, "r0000002": 100})
    with pytest.raises(TrafficReturned, match=r"not as \{'r0000001': 100\}"):
        bound.require_moved({"r0000001": 100, "r0000002": 0})


def test_a_refusal_is_explained_and_anything_else_is_left(tmp_path: Path) -> None:
    target = _bound(_world(tmp_path), Environment("shop-live"))
    found = target.explained(EngineFailed("it failed", detail=NOT_READY), NOW)
    assert isinstance(found, ReleaseUnhealthy)
    assert NOT_READY in str(found.detail)
    other = EngineFailed("something else")
    assert target.explained(other, NOW) is other


@pytest.mark.parametrize(
    ("least", "costs"), [(0, None), (1, "1 waiting instance"), (2, "2 waiting instances")]
)
def test_what_waits_for_requests_is_billed(tmp_path: Path, least: int, costs: str | None) -> None:
    rollout = _rollout(tmp_path, f"{TEXT}gcp_min_instances: {least}\n")
    assert rollout.costs() == costs


def test_what_is_told_late_is_of_the_time_before(tmp_path: Path) -> None:
    """What is told stands for what is there, so it is compared with what was to be made."""
    rollout = _rollout(tmp_path)
    wanted = samples.deployment(0, 100)
    old, new = (one.id for one in wanted.releases)
    target = _bound(_world(tmp_path), rollout.environment)

    def lags(told: dict[str, int], urls: dict[str, str], url: str = "https://shop") -> bool:
        outputs = {"url": url, "release_urls": urls, "traffic_statuses": told}
        return target.lags(replace(rollout.environment, outputs=outputs), wanted)

    both = {old: "https://old", new: "https://new"}
    assert not lags({old: 0, new: 100}, both)
    assert lags({old: 100}, both)
    assert lags({new: 100}, {new: "https://new"})
    assert lags({new: 100}, both, url="")
