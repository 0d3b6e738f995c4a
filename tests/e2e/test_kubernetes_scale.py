"""Many services on one cluster, several deployed at a time: none sees another. And many pods of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(2400)]

SERVICES = int(os.environ.get("CURTAINUP_TEST_SERVICES", "20"))
AT_A_TIME = 4
SMALL = {"memory_limit": "64m", "cpus": 0.03}
"""Forty pods of them leave a node of two processors room for their successors."""
SERVER = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"says": "SAYS", "name": "NAME", "environment": os.environ["PYM_ENV"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
DOCKERFILE = 'FROM {base}\nCOPY server.py .\nUSER 10001\nCMD ["python3", "-S", "server.py"]\n'


class Small(Troupe):
    """A service of one file, which starts in a moment."""

    def say(self, greeting: str) -> None:
        self.write("server.py", SERVER.replace("SAYS", greeting).replace("NAME", self.name))
        self.commit(f"Say {greeting}")

    def shrink(self) -> None:
        """Leave out what takes time: its framework, its own tests."""
        from curtainup.setup.base_images.catalogue import REFERENCES

        self.write("Dockerfile", DOCKERFILE.format(base=REFERENCES["base"]))
        for left in ("test", "testaccept", "requirements.txt", "requirements-test.txt", "pytest.ini"):
            self.git("rm", "-r", "-f", "--quiet", "--ignore-unmatch", left)
        self.configure(env_secrets=None, unit_tests=[], **self.on_shared_gateway(), **QUICK | SMALL)
        self.say("first")


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[list[Small]]:
    made = [Small.placed(tmp_path_factory.mktemp("e2e"), service_python, cluster) for _ in range(SERVICES)]
    for one in made:
        one.shrink()
    yield made
    together(made, Small.remove)


def together(services: Sequence[Small], do: Any) -> None:
    """Do something with all services, some at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as crews:
        for done in [crews.submit(do, one) for one in services]:
            done.result()


def generations(service: Small) -> dict[str, int]:
    """The generation of each object of live: it rises whenever somebody changes what the object is to be."""
    found = service.objects("live", "deployments,services,httproutes")
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"].get("generation", 0) for one in found}


def test_many_services_go_live_four_at_a_time_and_none_sees_another(services: list[Small]) -> None:
    together(services, lambda one: one.deploy())
    for one in services:
        for environment in ("staging", "live"):
            said = one.ask(environment).json()
            assert (said["name"], said["environment"]) == (one.name, one.namespace(environment))
            labels = [
                found["metadata"]["labels"]["curtainup.service"]
                for found in one.objects(environment, "deployments,services,pods")
            ]
            assert set(labels) == {one.name}


def test_changing_some_changes_nothing_of_the_others(services: list[Small]) -> None:
    changed, others = services[:AT_A_TIME], services[AT_A_TIME:]
    before = {one.name: generations(one) for one in others}
    for one in changed:
        one.say("second")
    together(changed, lambda one: one.deploy())
    assert [one.says("live") for one in changed] == ["second"] * len(changed)
    assert {one.says("live") for one in others} <= {"first"}
    assert {one.name: generations(one) for one in others} == before


def test_ten_pods_are_replaced_without_a_failed_request(services: list[Small]) -> None:
    """All are on one node: the cluster has no other."""
    one = services[0]
    together(services[1:], Small.remove)
    one.configure(environments={"live": {"replicas": 10}})
    one.say("by ten")
    with one.users("live") as failures:
        one.deploy()
        place = ("--namespace", one.namespace("live"))
        serving = next(release for release, share in one.traffic("live").items() if share)
        workload = f"deployment/{one.name}-{serving}"
        kubectl(one.on, "rollout", "restart", workload, *place)
        kubectl(one.on, "rollout", "status", workload, *place, "--timeout=300s")
    assert failures == []
    ready = json.loads(kubectl(one.on, "get", workload, *place, "--output=json"))["status"]["readyReplicas"]
    assert ready == 10
    assert one.says("live") == "by ten"
