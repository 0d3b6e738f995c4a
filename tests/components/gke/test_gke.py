from __future__ import annotations

import re
from typing import Any

import pytest

from components.environment import EnvironmentArgs
from components.gke.gke import Gke, resource_name
from curtainup.model.release import Deployment
from curtainup.rehearsal import schema
from tests.components.gke.samples import (
    ADDRESS,
    API,
    BACKEND,
    CERTIFICATE,
    ENTRY,
    HEALTH,
    MAP,
    deployment,
    environment,
    one,
    release,
    rendered,
)
from tests.components.kubernetes import samples as kubernetes
from tests.components.kubernetes.samples import GATEWAY, PROVIDER, ROUTE, SERVICE
from tests.components.program import Run

NAMED: dict[str, Any] = {"host": "shop.example.com", "https_listener": "https"}
HOST: dict[str, Any] = {**NAMED, "certificate_host": "shop.example.com"}


def _gateway(run: Run) -> dict[str, Any]:
    return run.one(GATEWAY).inputs


def _listeners(run: Run) -> list[str]:
    """The listeners that the route of the releases is on."""
    return [one["sectionName"] for one in run.of(ROUTE)["shop-live-route"].inputs["spec"]["parentRefs"]]


def test_the_gateway_is_google_s_load_balancer_at_an_address_that_stays() -> None:
    run = rendered(one())
    spec = _gateway(run)["spec"]
    assert spec["gatewayClassName"] == "gke-l7-global-external-managed"
    assert spec["addresses"] == [{"type": "NamedAddress", "value": run.one(ADDRESS).inputs["name"]}]
    assert run.one(ADDRESS).inputs["name"] == "shop-live"
    assert run.outputs["shop-live"]["address"] == "203.0.113.7"


def test_dns_leads_to_the_address_so_it_stays_while_somebody_gets_answers() -> None:
    assert rendered(one()).one(ADDRESS).protect
    assert not rendered(one(), name="staging").one(ADDRESS).protect
    assert not rendered(deployment(0)).one(ADDRESS).protect


def test_without_a_host_there_is_plain_http_alone() -> None:
    run = rendered(one())
    assert [one["name"] for one in _gateway(run)["spec"]["listeners"]] == ["http"]
    assert not run.of(CERTIFICATE)
    assert "networking.gke.io/certmap" not in _gateway(run)["metadata"]["annotations"]


def test_a_host_gets_a_certificate_by_a_map_of_its_own() -> None:
    run = rendered(one(), **HOST)
    assert run.one(CERTIFICATE).inputs["managed"] == {"domains": ["shop.example.com"]}
    assert run.one(ENTRY).inputs["hostname"] == "shop.example.com"
    assert run.one(ENTRY).inputs["certificates"] == ["shop-live-certificate-id"]
    assert _gateway(run)["metadata"]["annotations"]["networking.gke.io/certmap"] == "shop-live"
    assert run.one(MAP).inputs["name"] == "shop-live"


def test_a_changed_host_gets_its_certificate_before_the_old_one_goes() -> None:
    """Under the same name Pulumi deletes first, and Google refuses while the map's entry leads there."""
    runs = [rendered(one(), **{**HOST, "certificate_host": host}) for host in ("a.example.com", "b.example")]
    for kind in (CERTIFICATE, ENTRY):
        names = {run.one(kind).inputs["name"] for run in runs}
        assert len(names) == 2
        assert all(re.fullmatch("shop-live-[0-9a-f]{5}", name) for name in names)
    assert {run.one(MAP).inputs["name"] for run in runs} == {"shop-live"}


def test_the_listener_of_a_certificate_map_names_no_certificate() -> None:
    """GKE refuses a Gateway that has both, and the API wants one wherever `tls` says `Terminate`."""
    _, secure = _gateway(rendered(one(), **HOST))["spec"]["listeners"]
    assert (secure["protocol"], secure["hostname"]) == ("HTTPS", "shop.example.com")
    assert "tls" not in secure


def test_until_the_certificate_is_there_plain_http_leads_to_the_releases_too() -> None:
    """Google issues one only when DNS leads here, so nobody would get an answer before."""
    run = rendered(one(), **HOST)
    assert _listeners(run) == ["http", "https"]
    assert list(run.of(ROUTE)) == ["shop-live-route"]
    assert run.outputs["shop-live"]["url"] == "http://shop.example.com"


def test_once_the_certificate_is_there_plain_http_leads_to_https() -> None:
    run = rendered(one(), is_certified=True, **HOST)
    assert _listeners(run) == ["https"]
    redirect = run.of(ROUTE)["shop-live-redirect"].inputs["spec"]["rules"]
    assert redirect[0]["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}
    assert run.outputs["shop-live"]["url"] == "https://shop.example.com"


def test_a_certificate_map_that_is_there_is_taken_as_it_is() -> None:
    run = rendered(one(), certificate_map="everybody", **NAMED)
    assert not {*run.of(CERTIFICATE), *run.of(MAP), *run.of(ENTRY)}
    assert _gateway(run)["metadata"]["annotations"]["networking.gke.io/certmap"] == "everybody"


def test_a_rehearsal_makes_the_certificate_and_speaks_plain_http() -> None:
    run = rendered(one(), certificate_host="shop.example.com")
    assert run.one(CERTIFICATE).inputs["managed"] == {"domains": ["shop.example.com"]}
    assert [one["name"] for one in _gateway(run)["spec"]["listeners"]] == ["http"]
    assert "networking.gke.io/certmap" not in _gateway(run)["metadata"]["annotations"]


def test_the_load_balancer_asks_the_service_where_it_says_that_it_is_well() -> None:
    """By itself it would ask for `/`, and take live away from a service that has nothing there."""
    found = rendered(one(health_path="/health", container_port=9000, health_timeout=8)).one(HEALTH).inputs
    assert found["spec"]["targetRef"] == {"group": "", "kind": "Service", "name": "shop-r0000001"}
    default = found["spec"]["default"]
    assert default["config"]["httpHealthCheck"] == {"port": 9000, "requestPath": "/health"}
    assert default["timeoutSec"] == default["checkIntervalSec"] == 8


def test_a_service_that_answers_to_its_own_host_alone_is_asked_for_that() -> None:
    found = rendered(one(probe_headers={"Host": "shop.example.com"})).one(HEALTH).inputs
    assert found["spec"]["default"]["config"]["httpHealthCheck"]["host"] == "shop.example.com"


def test_a_request_may_take_as_long_as_it_says_and_ends_before_its_pod() -> None:
    """GKE takes no route with a timeout, and the load balancer's own is 30 seconds."""
    run = rendered(one())
    default = run.one(BACKEND).inputs["spec"]["default"]
    assert default == {"timeoutSec": 90, "connectionDraining": {"drainingTimeoutSec": 30}}
    (rule,) = run.one(ROUTE).inputs["spec"]["rules"]
    assert "timeouts" not in rule


def test_the_route_names_releases_without_traffic_as_far_as_it_may() -> None:
    """The load balancer knows their pods before they get some. Of those without traffic, the newest count."""
    releases = tuple(release(at) for at in range(1, 31))
    traffic = {each.id: 0 for each in releases} | {"r0000001": 60, "r0000002": 40}
    route = rendered(Deployment(releases=releases, traffic=traffic)).of(ROUTE)["shop-live-route"]
    [rule] = route.inputs["spec"]["rules"]
    weights = {each["name"]: each["weight"] for each in rule["backendRefs"]}
    assert len(weights) == 16
    assert sum(weights.values()) == 100
    assert "shop-r000001e" in weights
    assert "shop-r0000003" not in weights


def test_no_release_is_on_the_route_before_the_load_balancer_knows_how_to_treat_it() -> None:
    run = rendered(deployment(50, 50))
    after = run.of(ROUTE)["shop-live-route"].dependencies
    assert {*run.of(HEALTH), *run.of(BACKEND), *run.of(SERVICE)} <= set(after)


def test_without_a_gateway_nothing_of_google_s_is_made() -> None:
    run = rendered(one(), gateway="none", http_listener="")
    assert [one.type for one in run.resources if one.type.startswith("gcp:")] == []
    assert not {*run.of(HEALTH), *run.of(BACKEND)}


def test_a_gateway_that_is_there_has_an_address_and_certificates_of_its_own() -> None:
    run = rendered(one(), gateway="gateways/public", **NAMED)
    assert [one.type for one in run.resources if one.type.startswith("gcp:")] == []
    assert run.of(HEALTH)
    assert run.outputs["shop-live"]["url"] == "https://shop.example.com"


def test_apis_are_enabled_and_never_disabled() -> None:
    found = rendered(one(), **HOST).of(API).values()
    assert {one.inputs["service"] for one in found} == {
        "certificatemanager.googleapis.com",
        "compute.googleapis.com",
    }
    assert {one.inputs["disableOnDestroy"] for one in found} == {False}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK says so of its own classes
def test_google_s_provider_has_every_input() -> None:
    run = rendered(one(), **HOST)
    wanted = [found for found in run.resources if found.type.startswith("gcp:")]
    assert len(wanted) == 6
    for found in wanted:
        assert schema.failures(found.type, found.inputs) == []


def test_the_state_has_no_way_into_the_cluster() -> None:
    assert rendered(one()).one(PROVIDER).inputs["context"] == "gke_team-1_europe-west1_shops"
    assert rendered(one()).one(PROVIDER).inputs.get("kubeconfig") is None


def test_all_else_is_as_on_any_cluster() -> None:
    there = kubernetes.rendered(deployment(40, 60))
    here = rendered(deployment(40, 60))
    same = {"Deployment", "Namespace", "PodDisruptionBudget", "Service", "ServiceAccount"}
    for kind in same:
        wanted, found = (
            {one.name: one.inputs for one in run.resources if re.fullmatch(f"kubernetes:.*:{kind}", one.type)}
            for run in (there, here)
        )
        assert found == wanted


def test_another_target_s_settings_are_refused() -> None:
    args = EnvironmentArgs(kubernetes.environment(), Deployment(releases=(), traffic={}))
    with pytest.raises(TypeError, match="not on GKE"):
        Gke("shop-live", args)


def test_a_long_name_fits() -> None:
    long = environment(namespace="s" * 63)
    assert len(resource_name(long)) <= 63
    run = rendered(one(), **HOST, namespace="s" * 63)
    assert len(run.one(CERTIFICATE).inputs["name"]) <= 63
