from __future__ import annotations

from typing import Any

import pytest

from curtainup.errors import ConfigError, RefusedError, SetupError
from curtainup.platforms.kubernetes import front, gateways
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.forward import Door
from curtainup.platforms.kubernetes.gateways import API, Listeners
from tests.accounts.api_server import Api
from tests.platforms.kubernetes import shapes

CLASSES, PUBLIC = f"{API}/gatewayclasses", f"{API}/namespaces/gateways/gateways/public"
NEW = Listeners("", "")


def _class(name: str, accepted: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Accepted", "status": accepted}]}}


def _gateway(*listeners: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "public"}, "spec": {"listeners": list(listeners)}}


def _route(generation: int = 2, parent: str = "public", **conditions: tuple[str, int]) -> dict[str, Any]:
    found = [
        {"type": kind, "status": status, "observedGeneration": seen, "reason": "R", "message": "M"}
        for kind, (status, seen) in conditions.items()
    ]
    parents = [{"parentRef": {"name": parent}, "conditions": found}]
    return {"metadata": {"generation": generation}, "status": {"parents": parents}}


def test_the_only_class_needs_no_name(cluster: Cluster, api: Api) -> None:
    api.items(CLASSES, _class("envoy"), _class("broken", "False"))
    assert gateways.only_class(cluster) == "envoy"


def test_of_several_classes_one_has_to_be_named(cluster: Cluster, api: Api) -> None:
    api.items(CLASSES, _class("envoy"), _class("cilium"))
    with pytest.raises(ConfigError, match="2 classes of Gateways") as caught:
        gateways.only_class(cluster)
    assert caught.value.fix == "name one of them: cilium, envoy"


def test_a_cluster_without_the_gateway_api_or_a_controller_is_told_from_others(
    cluster: Cluster, api: Api
) -> None:
    with pytest.raises(SetupError, match="no Gateway API"):
        gateways.only_class(cluster)
    api.items(CLASSES)
    with pytest.raises(SetupError, match="no accepted GatewayClass") as caught:
        gateways.only_class(cluster)
    assert "gateway: none" in str(caught.value.fix)


def test_a_gateway_s_listeners_for_a_host_are_found(cluster: Cluster, api: Api) -> None:
    api.put(
        PUBLIC,
        _gateway(
            {"name": "other", "protocol": "HTTP", "hostname": "other.example"},
            {"name": "web", "protocol": "HTTP"},
            {"name": "tls", "protocol": "HTTPS", "hostname": "*.example"},
            {"name": "raw", "protocol": "TCP"},
        ),
    )
    assert gateways.listeners(cluster, "gateways/public", "shop.example", NEW) == Listeners("web", "tls")
    assert gateways.listeners(cluster, "gateways/public", "shop.elsewhere", NEW) == Listeners("web", "")
    assert gateways.listeners(cluster, "gateways/public", "", NEW) == Listeners("other", "tls")
    known = Listeners("web", "gone")
    assert gateways.listeners(cluster, "gateways/public", "", known) == Listeners("web", "tls")


def test_a_gateway_that_is_not_there_or_lets_nobody_in_is_refused(cluster: Cluster, api: Api) -> None:
    with pytest.raises(SetupError, match="no Gateway gateways/public"):
        gateways.listeners(cluster, "gateways/public", "", NEW)
    api.put(PUBLIC, _gateway({"name": "other", "protocol": "HTTP", "hostname": "other.example"}))
    with pytest.raises(RefusedError, match=r"no HTTP or HTTPS listener for shop\.example"):
        gateways.listeners(cluster, "gateways/public", "shop.example", NEW)


def test_a_route_is_followed_once_both_conditions_are_of_its_newest_generation() -> None:
    assert gateways.not_taken_on(_route(Accepted=("True", 2), ResolvedRefs=("True", 2)), "public") is None


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ({"metadata": {"generation": 1}}, "no controller has looked"),
        (_route(parent="other", Accepted=("True", 2)), "no controller has looked"),
        (_route(Accepted=("True", 2)), r"newest weights \(ResolvedRefs\)"),
        (_route(Accepted=("True", 1), ResolvedRefs=("True", 2)), r"newest weights \(Accepted\)"),
        (_route(Accepted=("False", 2), ResolvedRefs=("True", 2)), "Accepted is False: R: M"),
        (_route(Accepted=("True", 2), ResolvedRefs=("False", 2)), "ResolvedRefs is False: R: M"),
    ],
)
def test_a_route_that_is_not_followed_says_why(route: dict[str, Any], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(gateways.not_taken_on(route, "public"))


def test_a_gateway_s_address_is_its_first(cluster: Cluster, api: Api) -> None:
    assert front.address_url(cluster, "gateways", "public") is None
    api.put(PUBLIC, {"status": {"addresses": [{"value": "192.0.2.1"}, {"value": "192.0.2.2"}]}})
    assert front.address_url(cluster, "gateways", "public") == "http://192.0.2.1"
    api.put(PUBLIC, {"status": {"addresses": [{"value": "2001:db8::1"}]}})
    assert front.address_url(cluster, "gateways", "public") == "http://[2001:db8::1]"


def test_the_pods_of_a_gateway_are_found_by_what_its_controller_made(cluster: Cluster, api: Api) -> None:
    service = {
        "metadata": {"name": "envoy", "namespace": "system"},
        "spec": {
            "selector": {"app": "envoy", "of": "public"},
            "ports": [{"port": 80, "targetPort": 10080}, {"port": 443, "targetPort": "tls"}],
        },
    }

    def services(asked: Any) -> dict[str, Any]:
        known = "gateway.envoyproxy.io/owning-gateway-name=public" in asked.query["labelSelector"]
        return {"items": [service] if known else []}

    api.put("/api/v1/services", services)
    named, starting = shapes.pod("named"), shapes.unready({"running": {}})
    named["spec"]["containers"][0]["ports"] = [{"name": "tls", "containerPort": 10443}]
    api.items("/api/v1/namespaces/system/pods", named, starting)
    [found] = front.services(cluster, "gateways", "public")
    assert front.doors(cluster, found, 80) == [Door("named", 10080)]
    assert front.doors(cluster, found, 443) == [Door("named", 10443)]
    assert front.doors(cluster, found, 8443) == []
    assert api.asked[-1].query == {"labelSelector": "app=envoy,of=public"}


def test_a_url_is_reached_if_something_listens_there(api: Api) -> None:
    assert front.is_reached(f"http://127.0.0.1:{api.port}")
    assert not front.is_reached("http://127.0.0.1:9")
    assert not front.is_reached("http://not.a.name.invalid")
