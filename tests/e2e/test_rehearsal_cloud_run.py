"""A service's life on the stand-in of Cloud Run: first, second and third release, secrets, drift, the end."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.kind import Cloud
from tests.e2e import traces
from tests.e2e.load import users
from tests.e2e.rehearsed import CLOUD_RUN, Rehearsed, rehearsed
from tests.e2e.service import session

MATRIX = pytest.mark.matrix(
    reason="test_a_canary_goes_live_without_a_failed_request shows a change of live once"
)

PROJECT, REGION = CLOUD_RUN["docker_repo"], CLOUD_RUN["gcp_region"]
PAUSE = 0.02
"""Seconds between two requests of somebody whom nobody has let in."""
GATES = ["local", "staging", "candidate", "live"]
SECRET, NEW_SECRET = "barley, not to be told", "sesame, not to be told"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **CLOUD_RUN) as one:
        one.environ["HELLO_SECRET"] = SECRET
        yield one


def project(service: Rehearsed) -> dict[str, Any]:
    """What the project holds."""
    found: dict[str, Any] = service.cloud("gcp").get("projects", {}).get(PROJECT, {})
    return found


def cloud_service(service: Rehearsed, environment: str) -> dict[str, Any] | None:
    """The environment's Cloud Run service."""
    found: dict[str, Any] | None = (
        project(service).get("services", {}).get(f"{REGION}/{service.name}-{environment}")
    )
    return found


def version_of(answer: requests.Response) -> str:
    return str(answer.json()["version"])


def shares(service: Rehearsed) -> dict[str, int]:
    """The releases to which live's service really sends requests, in per cent."""
    found = cloud_service(service, "live")
    assert found is not None
    return {one["tag"]: one["percent"] for one in found["traffic"] if one["percent"]}


@contextmanager
def strangers(service: Rehearsed) -> Iterator[list[int]]:
    """Ask live from the moment it is there, as somebody without an identity; yields the status codes."""
    codes: list[int] = []
    done = threading.Event()

    def ask() -> None:
        with session() as direct:
            while not done.wait(PAUSE):
                found = cloud_service(service, "live")
                if found and found["ports"]:
                    url = f"http://127.0.0.1:{found['ports'][0]}/ping"
                    codes.append(direct.get(url, timeout=60).status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield codes
    finally:
        done.set()
        thread.join()


def test_a_first_release_that_fails_its_gate_leaves_no_service(service: Rehearsed) -> None:
    with strangers(service) as codes:
        done = service.deploy(code=12, fail_at="candidate")

    assert set(codes) == {403}, "the public was never let in"
    assert "nothing serves, as before" in done.err
    assert cloud_service(service, "live") is None
    assert cloud_service(service, "staging") is not None
    assert service.status("live")["releases"] == []
    assert [name for name in service.containers() if f"{service.name}-live" in name] == []


def test_the_public_is_let_in_once_the_first_release_is_proven(service: Rehearsed) -> None:
    with strangers(service) as codes:
        done = service.deploy()

    assert done.out == f"{service.url('live')}\n", "the URL is all that standard output holds"
    opened = codes.index(200)
    assert opened, "it was closed at first"
    assert set(codes[:opened]) == {403}
    assert set(codes[opened:]) == {200}
    assert service.proved() == GATES
    answer = service.get("live").json()
    assert (answer["greeting"], answer["environment"]) == ("Hello!", f"{service.name}-live")


def test_an_unchanged_service_is_left_alone(service: Rehearsed) -> None:
    updates, cloud, containers = service.updates(), project(service), service.containers()

    done = service.deploy("--json")

    assert done.json()["changed"] is False
    assert service.updates() == updates, "no update was made of any stack"
    assert project(service) == cloud
    assert service.containers() == containers


@MATRIX
def test_a_preview_tells_nothing_when_nothing_would_change(service: Rehearsed) -> None:
    cloud = project(service)

    assert [one["changed"] for one in service.run("preview", "--json").json()] == [False, False, False]
    assert project(service) == cloud


def test_a_preview_tells_a_change_and_makes_none(service: Rehearsed) -> None:
    service.configure(canary=[10, 50])
    service.greet("second")
    cloud = project(service)

    found = service.run("preview", "--json", code=2).json()

    assert {one["stack"] for one in found if one["changed"]} >= {f"{service.name}-live"}
    assert project(service) == cloud


def test_a_canary_goes_live_without_a_failed_request(service: Rehearsed) -> None:
    [old] = service.status("live")["releases"]

    with users(service.url("live"), "/version", version_of) as answers:
        new = service.planned_release()

    assert answers.failures == []
    assert set(answers.releases) == {old["version"], service.last_run().version}
    assert service.traffic("live") == {old["id"]: 0, new: 100}
    assert service.get("live").json()["says"] == "second"
    [move] = [move for move in service.last_run().traffic if move.environment == "live"]
    assert move.probe is not None
    probe = json.loads((service.last_run_folder() / move.probe).read_text())
    assert (probe["failed"], probe["total"] > 0) == (0, True)


def test_each_release_has_a_url_of_its_own(service: Rehearsed) -> None:
    old, new = service.status("live")["releases"]

    with session() as direct:
        for one in (old, new):
            assert version_of(direct.get(f"{one['url']}/version", timeout=60)) == one["version"]


def test_a_rollback_builds_nothing_and_brings_the_old_secret_back(service: Rehearsed) -> None:
    _, old = service.traffic("live")
    service.environ["HELLO_SECRET"] = NEW_SECRET
    held = service.deploy("--hold", "--json").json()
    new = held["release"]
    assert secret_in(service) == SECRET
    with session() as direct:
        assert direct.get(f"{held['url']}/ping", timeout=60).status_code == 200
    service.run("promote", "--canary", "10")
    assert secret_in(service) == NEW_SECRET
    images = service.host.images()

    done = service.run("rollback", env={"HELLO_SECRET": SECRET})

    told = [line.partition("shift: ... ")[2] for line in done.err.splitlines() if "shift: ... " in line]
    assert [line for line in told if line.endswith(" %")] == [f"{old} 100 %"], "the canary is not heeded"
    assert secret_in(service) == SECRET
    assert service.traffic("live")[old] == 100
    assert service.traffic("live")[new] == 0
    assert [step.name for step in service.last_run().steps] == ["release", "shift", "live-gate"]
    assert service.host.images() == images
    service.run("rollback", new)
    assert secret_in(service) == NEW_SECRET


def secret_in(service: Rehearsed) -> str:
    """The secret that live has, of the two that there are."""
    found = service.get("live", "/secret-check").json()["sha256"]
    known = {hashlib.sha256(one.encode()).hexdigest(): one for one in (SECRET, NEW_SECRET)}
    return known[found]


def test_secrets_are_in_the_secret_manager_and_nowhere_else(service: Rehearsed) -> None:
    forms = traces.forms(SECRET) | traces.forms(NEW_SECRET)
    manager = service.rehearsal.clouds / "gcp.json"

    assert traces.in_files(service, forms) == [str(manager)]
    assert stat.S_IMODE(manager.stat().st_mode) == 0o600
    found = project(service)
    assert traces.holds(json.dumps(found.pop("secrets")).encode(), forms)
    assert not traces.holds(json.dumps(found).encode(), forms)
    assert traces.in_images(service, forms) == []


def test_every_revision_names_the_version_of_its_secret(service: Rehearsed) -> None:
    found = cloud_service(service, "live")
    assert found is not None
    templates = [one["template"] for one in found["revisions"].values()]
    given = [
        {env["name"]: env for env in template["containers"][0]["envs"]}["HELLO_SECRET"]
        for template in templates
    ]

    assert all(not one.get("value") for one in given)
    versions = [one["valueSource"]["secretKeyRef"]["version"] for one in given]
    assert all(version.isdigit() for version in versions), "never `latest`"
    assert len(set(versions)) > 1


@MATRIX
@pytest.mark.parametrize("what", ["split", "public access"])
def test_a_refresh_sees_what_somebody_else_changed_and_the_next_deployment_puts_it_right(
    service: Rehearsed, what: str
) -> None:
    old, serving = list(service.traffic("live"))[-2:]
    name = f"projects/{PROJECT}/locations/{REGION}/services/{service.name}-live"
    with service.rehearsal.cloud("gcp") as state:
        found = state["projects"][PROJECT]
        live = found["services"][f"{REGION}/{service.name}-live"]
        if what == "split":
            for one in live["traffic"]:
                one["percent"] = 100 if one["tag"] == old else 0
        else:
            live["invokerIamDisabled"] = False
    Routes(Cloud(service.rehearsal, Faults()), name).apply(live)
    assert (what == "split") == (service.get("live").status_code == 200)

    service.refresh("live")

    service.run("preview", code=2)
    assert service.release() == serving
    assert shares(service) == {serving: 100}
    assert service.get("live").status_code == 200


@MATRIX
@pytest.mark.parametrize(
    ("key", "value", "told"),
    [("docker_repo", "another-project", "another-project"), ("gcp_region", "us-central1", "us-central1")],
)
def test_another_project_or_region_is_refused_while_something_serves(
    service: Rehearsed, key: str, value: str, told: str
) -> None:
    cloud, updates = project(service), service.updates()
    service.configure(**{key: value})

    done = service.deploy(code=23)

    service.configure(**CLOUD_RUN)
    assert f"{key} in pym-config.yaml" in done.err
    assert told in done.err
    assert "curtainup destroy --env live" in done.err
    assert (project(service), service.updates()) == (cloud, updates)
    assert service.get("live").status_code == 200


def test_destroy_leaves_nothing(service: Rehearsed) -> None:
    assert service.left(), "there is something to destroy"

    service.run("destroy", "--confirm", service.name)

    assert service.left() == []
    assert service.state.stacks() == []
    kept = {kind: found for kind, found in project(service).items() if found and kind != "apis"}
    assert kept == {}
