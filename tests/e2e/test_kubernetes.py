"""`deploy_target: kubernetes` on a real cluster with a real Gateway, from the first deployment to the end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from curtainup.errors import ReleaseUnhealthy, StagingGateFailed, TaskFailed, UnknownRelease
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_service import DOMAIN, QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

BROKEN = """
if os.environ.get("BREAK") == "crash":
    print("about to fall", flush=True)
    raise RuntimeError("there is no stage")

LONGEST_WAIT"""


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    made = Troupe.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster)
    made.edit("server.py", "\nLONGEST_WAIT", BROKEN)
    made.configure(**made.on_shared_gateway(), **QUICK)
    yield made
    made.remove()


def test_the_doctor_finds_what_a_deployment_needs(service: Troupe) -> None:
    done = service.run("doctor", ".", "--json", code=0)
    found = {one["name"]: one for one in done.json()}
    for name in ("Kubernetes cluster", "Kubernetes permissions", "Pod Security"):
        assert found[name]["ok"], found[name]
    assert [one for name, one in found.items() if name.startswith("Gateway") and not one["ok"]] == []


def test_a_first_deployment_goes_live(service: Troupe) -> None:
    done = service.deploy()
    assert done.out == f"http://{service.name}-live.{DOMAIN}\n"
    assert service.proved() == ["local", "staging", "candidate", "live"]
    for environment in ("staging", "live"):
        [only] = service.traffic_told(environment)
        assert service.workloads(environment) == {only}
        assert service.ask(environment).json()["environment"] == f"{service.name}-{environment}"


def test_an_unchanged_service_is_left_alone(service: Troupe) -> None:
    before = service.updates()
    assert service.deploy("--json").json()["changed"] is False
    assert service.updates() == before


def test_a_change_goes_live_without_a_failed_request(service: Troupe) -> None:
    [old] = service.traffic_told("live")
    service.greet("second")
    with service.users("live") as failures:
        new = service.deploy("--json").json()["release"]
    assert failures == []
    assert service.says("live") == "second"
    assert service.traffic_told("live") == {old: 0, new: 100}
    assert service.workloads("live") == {old, new}, "the old one stays for a rollback"


def test_its_logs_are_shown_of_all_releases_or_of_one(service: Troupe) -> None:
    old, new = service.traffic_told("live")
    lines = [json.loads(one) for one in service.run("logs", "--json", "--tail", "2000").out.splitlines()]
    assert {one["release"] for one in lines} == {old, new}
    assert lines == sorted(lines, key=lambda one: str(one["at"]))
    only = service.run("logs", "--json", "--release", old).out.splitlines()
    assert {json.loads(one)["release"] for one in only} == {old}


def test_a_broken_release_is_told_with_its_last_words_and_never_gets_traffic(service: Troupe) -> None:
    before, serving = service.traffic_told("live"), service.says("live")
    service.configure(environments={"live": {"env": {"BREAK": "crash"}}})
    with service.users("live") as failures:
        began = time.monotonic()
        done = service.deploy(code=ReleaseUnhealthy.exit_code)
    assert "the release's container exited with code" in done.err
    assert "RuntimeError: there is no stage" in done.err
    assert f"in namespace {service.namespace('live')}" in done.err
    assert time.monotonic() - began < 200
    assert failures == []
    assert (service.traffic_told("live"), service.says("live")) == (before, serving)
    assert service.workloads("live") == set(before)
    service.configure(environments=None)


def test_a_failed_gate_puts_staging_back(service: Troupe) -> None:
    before = service.traffic_told("staging")
    serving = service.says("staging")
    service.greet("refused")
    service.deploy(code=StagingGateFailed.exit_code, fail_at="staging")
    assert service.says("staging") == serving
    assert set(service.traffic_told("staging")) == set(before)


def test_a_rollback_moves_traffic_back(service: Troupe) -> None:
    old, new = service.traffic_told("live")
    with service.users("live") as failures:
        service.run("rollback")
    assert failures == []
    assert service.traffic_told("live") == {old: 100, new: 0}
    assert service.says("live") != "second"


def test_a_release_whose_pods_somebody_removed_is_refused_and_made_again(service: Troupe) -> None:
    _, new = service.traffic_told("live")
    kubectl(
        service.on, "delete", "deployment", f"{service.name}-{new}", "--namespace", service.namespace("live")
    )
    done = service.run("rollback", new, code=UnknownRelease.exit_code)
    assert "curtainup pulumi up --refresh" in done.err


def test_tasks_run_in_the_release_s_image_before_it_has_traffic(service: Troupe) -> None:
    command = ["sh", "-c", 'echo begun; echo $PYM_ENV and $VERSION; test -n "$HELLO_SECRET"']
    service.configure(tasks=[{"name": "migrate", "command": command}])
    service.greet("third")
    service.deploy()
    logs = sorted((service.last_run_folder() / "tasks").glob("*.log"))
    assert [one.name for one in logs] == ["live-migrate.log", "staging-migrate.log"]
    assert logs[0].read_text().startswith(f"begun\n{service.name}-live and ")
    assert service.objects("live", "jobs") == []


def test_a_task_that_fails_keeps_the_release_from_traffic(service: Troupe) -> None:
    before = service.traffic_told("staging")
    service.configure(tasks=[{"name": "migrate", "command": ["sh", "-c", "echo no; exit 3"]}])
    service.greet("fourth")
    done = service.deploy(code=TaskFailed.exit_code)
    assert "task migrate for staging failed with exit code 3" in done.err
    assert service.says("staging") == "third"
    assert set(service.traffic_told("staging")) == set(before)
    service.configure(tasks=None)


def test_a_canary_gets_its_share(service: Troupe) -> None:
    service.greet("fifth")
    service.deploy("--canary", "50")
    assert service.says("live") == "fifth"


def test_destroy_leaves_nothing_though_somebody_has_removed_the_route(service: Troupe) -> None:
    kubectl(service.on, "delete", "httproute", service.name, "--namespace", service.namespace("live"))
    service.run("destroy", "--confirm", service.name)
    assert service.host.everything() == []
    assert service.state.stacks() == []
    found = kubectl(service.on, "get", "namespaces", "--output", "name").split()
    assert [one for one in found if service.name in one] == []
