"""A Gateway that curtainup makes, with HTTPS, on a real cluster; the certificate comes as from an issuer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.errors import EngineFailed
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.kube_outside import ISSUER, Outside
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]


class Shown(Troupe):
    """A service whose host leads to its own Gateway."""

    outside: Outside

    def command(self, *arguments: str) -> list[str]:
        return self.outside.command(super().command(*arguments))


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("e2e")
    made = Shown.placed(folder, service_python, cluster)
    made.outside = Outside(folder, cluster, f"{made.name}.example.test")
    made.environ |= made.outside.variables
    made.configure(live_host=made.outside.host, gateway_class="envoy", cert_issuer=ISSUER, **QUICK)
    with made.outside.at_work(made.namespace("live")) as issued:
        yield made
        made.remove()
    assert issued == [made.outside.host], "an environment without a host has no certificate"


def gateway(service: Shown, environment: str) -> dict[str, Any]:
    [found] = service.objects(environment, "gateways")
    return found


def test_a_certificate_that_does_not_come_is_told_and_live_gets_no_traffic(service: Shown) -> None:
    service.configure(environments={"live": {"ready_timeout": 10}})
    done = service.deploy(code=EngineFailed.exit_code)
    assert "the cluster did not make the Gateway ready in time" in done.err
    service.configure(environments=None)


def test_a_gateway_is_made_and_serves_https_by_the_issuer_s_certificate(service: Shown) -> None:
    service.outside.issues = True
    done = service.deploy()
    assert done.out == f"https://{service.outside.host}\n"
    assert service.proved()[-1] == "live"
    status, _, body = service.outside.get("/")
    assert (status, json.loads(body)["environment"]) == (200, f"{service.name}-live")
    for listener in gateway(service, "live")["status"]["listeners"]:
        conditions = {one["type"]: one["status"] for one in listener["conditions"]}
        assert conditions["Programmed"] == "True", listener


def test_plain_http_leads_to_https(service: Shown) -> None:
    status, headers, _ = service.outside.get("/ping?x=1", secure=False)
    lower = {name.lower(): value for name, value in headers.items()}
    assert status == 301
    assert lower["location"].replace(":443/", "/") == f"https://{service.outside.host}/ping?x=1"


def test_staging_has_no_host_and_so_no_certificate(service: Shown) -> None:
    assert [one["name"] for one in gateway(service, "staging")["spec"]["listeners"]] == ["http"]
    assert service.url("staging").startswith("http://")


def test_a_change_goes_live_over_https_without_a_failed_request(service: Shown) -> None:
    service.greet("second")
    over, seen, failed = Event(), list[int](), list[str]()

    def use() -> None:
        while not over.wait(0.02):
            try:
                seen.append(service.outside.get("/ping")[0])
            except OSError as error:
                failed.append(repr(error))

    user = Thread(target=use, daemon=True)
    user.start()
    try:
        service.deploy()
    finally:
        over.set()
        user.join()
    assert failed == []
    assert set(seen) == {200}
    assert json.loads(service.outside.get("/")[2])["says"] == "second"


def test_destroy_takes_the_gateway_along(service: Shown) -> None:
    service.run("destroy", "--confirm", service.name)
    left = kubectl(service.on, "get", "namespaces,gateways", "--all-namespaces", "--output=name").split()
    assert [one for one in left if service.name in one] == []
