from __future__ import annotations

import json
from typing import Any

import pytest

from curtainup.model.release import Deployment
from tests.components.kubernetes.samples import GATEWAY, ROUTE, SERVICE, deployment, one, rendered
from tests.components.program import Run


def _route(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.of(ROUTE)["shop-live-route"].inputs["spec"]
    return found


def _weights(run: Run) -> dict[str, int]:
    return {each["name"]: each["weight"] for each in _route(run)["rules"][0]["backendRefs"]}


def test_the_weights_of_the_route_are_the_traffic() -> None:
    assert _weights(rendered(deployment(10, 90))) == {"shop-r0000001": 10, "shop-r0000002": 90}


def test_a_release_without_traffic_is_not_on_the_route() -> None:
    """One whose Service is gone would take the others' traffic away, too."""
    assert _weights(rendered(deployment(0, 0, 100))) == {"shop-r0000003": 100}


def test_a_route_leads_nowhere_until_a_release_is_proven() -> None:
    assert _weights(rendered(deployment(0))) == {}


def test_the_route_comes_after_every_release() -> None:
    """No traffic is sent to what does not exist yet; what it leaves is deleted after it, as always."""
    route = rendered(deployment(0, 100)).of(ROUTE)["shop-live-route"]
    assert {"shop-live-r0000001", "shop-live-r0000002", "shop-live-gateway"} <= set(route.dependencies)


def test_a_gateway_is_made_where_none_is_named() -> None:
    run = rendered(one())
    gateway = run.one(GATEWAY)
    assert gateway.inputs["spec"] == {
        "gatewayClassName": "envoy",
        "listeners": [
            {
                "name": "http",
                "port": 80,
                "protocol": "HTTP",
                "allowedRoutes": {"namespaces": {"from": "Same"}},
            }
        ],
    }
    assert gateway.inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": '["condition=Programmed"]'}
    assert gateway.timeouts == ("300s", "300s", "")
    assert _route(run)["parentRefs"] == [{"name": "shop", "namespace": "shop-live", "sectionName": "http"}]
    assert "hostnames" not in _route(run)
    assert run.outputs["shop-live"]["url"] == "http://203.0.113.7"


def test_a_gateway_that_is_there_is_used() -> None:
    run = rendered(one(), gateway="gateways/public", http_listener="web", host="shop.example.com")
    assert not run.of(GATEWAY)
    assert _route(run)["parentRefs"] == [{"name": "public", "namespace": "gateways", "sectionName": "web"}]
    assert _route(run)["hostnames"] == ["shop.example.com"]
    assert run.outputs["shop-live"]["gateway"] == "gateways/public"


@pytest.mark.parametrize("gateway", ["", "gateways/public"])
def test_plain_http_leads_to_https_where_there_is_any(gateway: str) -> None:
    run = rendered(one(), gateway=gateway, host="shop.example.com", https_listener="https")
    assert _route(run)["parentRefs"][0]["sectionName"] == "https"
    redirect = run.of(ROUTE)["shop-live-redirect"].inputs["spec"]
    assert redirect["parentRefs"][0]["sectionName"] == "http"
    assert redirect["hostnames"] == ["shop.example.com"]
    assert redirect["rules"] == [
        {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
    ]
    assert "shop-live-redirect" in run.of(ROUTE)["shop-live-route"].dependencies
    assert run.outputs["shop-live"]["url"] == "https://shop.example.com"


def test_a_gateway_with_https_alone_has_nothing_to_redirect() -> None:
    run = rendered(
        one(), gateway="gateways/public", host="shop.example.com", http_listener="", https_listener="tls"
    )
    assert [*run.of(ROUTE)] == ["shop-live-route"]
    assert _route(run)["parentRefs"][0]["sectionName"] == "tls"


def test_an_issuer_gives_the_gateway_its_certificate() -> None:
    run = rendered(one(), host="shop.example.com", https_listener="https", issuer="letsencrypt")
    gateway = run.one(GATEWAY).inputs
    assert gateway["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    _, certified = json.loads(gateway["metadata"]["annotations"]["pulumi.com/waitFor"])
    assert certified == (
        "jsonpath={.status.listeners[?(@.name=='https')].conditions[?(@.type=='Programmed')].status}=True"
    )
    plain, secure = gateway["spec"]["listeners"]
    assert (plain["hostname"], secure["hostname"]) == ("shop.example.com", "shop.example.com")
    assert (secure["port"], secure["protocol"]) == (443, "HTTPS")
    assert secure["tls"]["certificateRefs"] == [{"kind": "Secret", "group": "", "name": "shop-tls"}]


def test_nobody_waits_for_a_gateway_with_nothing_behind_it() -> None:
    """As after a first release that failed, maybe because its certificate did not come."""
    run = rendered(Deployment(), host="shop.example.com", https_listener="https", issuer="letsencrypt")
    assert run.one(GATEWAY).inputs["metadata"]["annotations"] == {
        "cert-manager.io/cluster-issuer": "letsencrypt"
    }


def test_the_gateway_waits_as_long_for_an_answer_as_is_configured() -> None:
    """Gateways have a limit of their own otherwise: that of Envoy is 15 seconds."""
    assert _route(rendered(one(), request_timeout=7))["rules"][0]["timeouts"] == {"request": "7s"}


def test_without_a_gateway_a_service_leads_to_one_release() -> None:
    run = rendered(deployment(0, 100), gateway="none")
    assert not run.of(ROUTE)
    assert not run.of(GATEWAY)
    front = run.of(SERVICE)["shop-live-front"]
    assert front.inputs["metadata"]["name"] == "shop"
    assert front.inputs["spec"]["selector"]["curtainup.release"] == "r0000002"
    assert {"shop-live-r0000001", "shop-live-r0000002"} <= set(front.dependencies)
    outputs = run.outputs["shop-live"]
    assert (outputs["url"], outputs["service"]) == ("http://shop.shop-live.svc", "shop")
    assert "route" not in outputs


def test_before_a_release_is_proven_the_service_leads_nowhere() -> None:
    front = rendered(deployment(0), gateway="none").of(SERVICE)["shop-live-front"]
    assert front.inputs["spec"]["selector"]["curtainup.release"] == "none"


def test_without_a_gateway_nothing_splits_traffic() -> None:
    with pytest.raises(ValueError, match="all traffic or none"):
        rendered(deployment(90, 10), gateway="none")
