from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.state import Remembered
from curtainup.environments import earlier
from curtainup.environments.rollout import Rollout
from curtainup.environments.view import EnvironmentView
from curtainup.errors import (
    EngineFailed,
    RefusedError,
    ReleaseUnhealthy,
    SetupError,
    TrafficReturned,
    UnknownRelease,
)
from curtainup.gates import health
from curtainup.gates.asking import Asking
from curtainup.model.environment import Environment
from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings
from curtainup.platforms.kubernetes import front
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.gateways import API
from curtainup.targets.kubernetes import target as targets
from curtainup.targets.kubernetes import wanted
from tests.accounts import api_server
from tests.accounts.api_server import UID, Api, Status
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import FIRST, KEYS, SECOND, Live, service, settings

NOW = datetime(2026, 11, 29, tzinfo=UTC)
NAMESPACE, FRONT = "/api/v1/namespaces/shop-live", "/api/v1/namespaces/shop-live/services/shop"
ROUTE = f"{API}/namespaces/shop-live/httproutes/shop"
MADE = "deploy_target: kubernetes\n"
PUBLIC = f"{MADE}gateway: gateways/public\nlive_host: shop.example\nstaging_host: s.example\n"
AT_PUBLIC = {
    "gateway": "gateways/public",
    "host": "shop.example",
    "http_listener": "web",
    "https_listener": "tls",
}
TAKEN_ON = [
    {"type": kind, "status": "True", "observedGeneration": 4, "reason": "R", "message": "M"}
    for kind in ("Accepted", "ResolvedRefs")
]


def _route(conditions: list[dict[str, Any]] | None = None, **weights: int) -> dict[str, Any]:
    backends = [{"name": f"shop-{one}", "weight": share} for one, share in weights.items()]
    parents = [
        {"parentRef": {"name": "public"}, "conditions": TAKEN_ON if conditions is None else conditions}
    ]
    return {
        "metadata": {"generation": 4},
        "spec": {"rules": [{"backendRefs": backends}]},
        "status": {"parents": parents},
    }


def _front(release: str) -> dict[str, Any]:
    return {"spec": {"selector": {"curtainup.release": release}}}


def _behind_gateway(live: Live, **outputs: str) -> Live:
    known = {**live.environment.outputs, **outputs}
    there = settings(gateway="gateways/public")
    live.environment = replace(live.environment, settings=there, outputs=known)
    return live


def _prepared(folder: Path, api: Api, keys: str) -> KubernetesEnvironment:
    rollout = Rollout(service(folder, api, keys).session, "live")
    rollout.prepare(allow_replace=False)
    assert isinstance(rollout.environment.settings, KubernetesEnvironment)
    return rollout.environment.settings


def test_a_release_runs_with_what_the_keys_say(tmp_path: Path, api: Api) -> None:
    keys = f"{PUBLIC}memory_limit: 1g\ncpus: 0.5\nstart_timeout: 33\nrun_as_user: 7\nread_only: true\n"
    found = EnvironmentView(service(tmp_path, api, keys).session, "live").target.runtime()
    assert isinstance(found, KubernetesSettings)
    assert (found.memory_mb, found.cpus, found.start_timeout) == (1024, 0.5, 33)
    assert (found.run_as_user, found.read_only) == (7, True)
    assert found.probe_headers == {"Host": "shop.example"}
    assert found.env["GUNICORN_CMD_ARGS"] == "--keep-alive=3700"


def test_what_a_server_is_told_of_idle_connections_is_the_service_s_to_change(
    tmp_path: Path, api: Api
) -> None:
    keys = f"{PUBLIC}env: {{GUNICORN_CMD_ARGS: --workers=4}}\n"
    found = EnvironmentView(service(tmp_path, api, keys).session, "live").runtime().env
    assert found["GUNICORN_CMD_ARGS"] == "--workers=4"
    assert found["UVICORN_TIMEOUT_KEEP_ALIVE"] == "3700"


def test_an_environment_is_asked_with_its_own_host(tmp_path: Path, api: Api) -> None:
    """A Gateway that staging shares with live would let live answer to live's host."""
    session = service(tmp_path, api, PUBLIC).session
    assert EnvironmentView(session, "staging").asking().host == "s.example"
    assert EnvironmentView(session, "live").asking().host == "shop.example"


def test_a_first_deployment_gets_a_namespace_that_nobody_has(tmp_path: Path, api: Api) -> None:
    found = _prepared(tmp_path, api, f"{KEYS}replicas: 3\nmax_replicas: 5\nready_timeout: 90\n")
    assert (found.namespace, found.cluster, found.context) == ("shop-live", UID, api_server.CONTEXT)
    assert (found.min_replicas, found.max_replicas, found.ready_timeout) == (3, 5, 90)
    assert (found.gateway, found.http_listener) == ("none", "")
    assert len(found.state) == 12


def test_a_rehearsal_takes_neither_the_namespace_nor_the_host(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the cluster of the real environments, it would take their traffic."""
    monkeypatch.setattr(targets.KubernetesTarget, "_rehearses", True)
    found = _prepared(tmp_path, api, f"{KEYS}live_host: shop.example.com\n")
    assert (found.namespace, found.host) == ("shop-live-rehearsal", "")


def test_the_namespace_of_a_rehearsal_fits_however_long_the_names_are() -> None:
    long = wanted.rehearsed("s" * 40 + "-review-" + "x" * 13)
    assert long != wanted.rehearsed("s" * 40 + "-review-" + "y" * 13)
    assert len(long) <= 63
    assert wanted.rehearsed("shop-staging") == "shop-staging-rehearsal"


def test_a_namespace_of_somebody_else_is_never_taken_over(tmp_path: Path, api: Api) -> None:
    api.put(NAMESPACE, {"metadata": {"name": "shop-live"}})
    with pytest.raises(RefusedError, match="has a namespace shop-live already") as caught:
        _prepared(tmp_path, api, KEYS)
    assert "kubectl delete namespace shop-live" in str(caught.value.fix)


def test_a_namespace_that_is_still_being_deleted_is_told_with_what_holds_it(tmp_path: Path, api: Api) -> None:
    status = {"conditions": [{"status": "True", "message": "Some content has finalizers remaining"}]}
    api.put(NAMESPACE, {"metadata": {"deletionTimestamp": "2026-11-29T04:00:00Z"}, "status": status})
    with pytest.raises(SetupError, match="still being deleted") as caught:
        _prepared(tmp_path, api, KEYS)
    assert "finalizers remaining" in str(caught.value.detail)


def test_a_gateway_that_is_there_gives_its_listeners(tmp_path: Path, api: Api) -> None:
    listeners = [{"name": "web", "protocol": "HTTP"}, {"name": "tls", "protocol": "HTTPS"}]
    api.put(f"{API}/namespaces/gateways/gateways/public", {"spec": {"listeners": listeners}})
    found = _prepared(tmp_path, api, PUBLIC)
    assert (found.gateway, found.http_listener, found.https_listener) == ("gateways/public", "web", "tls")
    assert (found.host, found.gateway_class) == ("shop.example", "")


def test_a_gateway_that_is_made_is_of_the_cluster_s_only_class(tmp_path: Path, api: Api) -> None:
    accepted = {"conditions": [{"type": "Accepted", "status": "True"}]}
    api.items(f"{API}/gatewayclasses", {"metadata": {"name": "envoy"}, "status": accepted})
    issuer = "live_host: shop.example\nstaging_host: s.example\ncert_issuer: letsencrypt\n"
    found = _prepared(tmp_path, api, f"{MADE}{issuer}")
    assert (found.gateway, found.gateway_class, found.issuer) == ("", "envoy", "letsencrypt")
    assert (found.http_listener, found.https_listener) == ("http", "https")


def test_what_has_no_host_gets_no_certificate(tmp_path: Path, api: Api) -> None:
    """No issuer certifies a listener without a name, and the Gateway would wait for it."""
    keys = f"{MADE}gateway_class: envoy\nlive_host: shop.example\ncert_issuer: letsencrypt\n"
    rollout = Rollout(service(tmp_path, api, keys).session, "staging")
    rollout.prepare(allow_replace=False)
    found = rollout.environment.settings
    assert isinstance(found, KubernetesEnvironment)
    assert (found.host, found.issuer, found.https_listener) == ("", "", "")


def test_settings_stay_what_they_were_chosen_as(live: Live) -> None:
    found = live.target.settings()
    assert (found.namespace, found.state) == ("shop-live", "s1")
    assert found == live.environment.settings


def test_another_cluster_behind_the_same_name_is_refused(live: Live) -> None:
    live.api.put(api_server.SYSTEM, {"metadata": {"uid": "another"}})
    with pytest.raises(RefusedError, match="is on the cluster of context shop") as caught:
        live.target.settings()
    assert caught.value.where == "kube_context in pym-config.yaml"
    with pytest.raises(RefusedError):
        live.target.require_ready()


def test_nothing_is_removed_from_another_cluster_behind_the_same_context(live: Live) -> None:
    live.api.put(api_server.SYSTEM, {"metadata": {"uid": "another"}})
    with pytest.raises(RefusedError, match="leads to another cluster than the one live is on"):
        live.target.require_same_place()


def test_what_is_on_its_cluster_may_be_removed(live: Live) -> None:
    live.target.require_same_place()


def test_the_cluster_and_the_plugin_are_there_before_anything_is_built(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="kubernetes plugin"):
        live.target.require_ready()
    (tmp_path / "pulumi-resource-kubernetes").touch(mode=0o755)
    live.target.require_ready()


def test_expired_credentials_are_told_before_anything_is_built(live: Live) -> None:
    live.api.everything = Status(401, "Unauthorized", "Unauthorized")
    with pytest.raises(SetupError, match="does not accept the credentials"):
        live.target.require_ready()


@pytest.mark.parametrize(
    ("known", "keys", "changed"),
    [
        ({}, KEYS, []),
        ({}, PUBLIC, ["gateway"]),
        (AT_PUBLIC, PUBLIC, []),
        ({"gateway": "", "gateway_class": "a"}, MADE, []),
        ({"gateway": "", "gateway_class": "a"}, f"{MADE}gateway_class: a\n", []),
        (
            {"gateway": "", "gateway_class": "a"},
            f"{MADE}gateway_class: b\n",
            ["gateway_class"],
        ),
        ({"gateway": "", "gateway_class": "a"}, KEYS, ["gateway"]),
        ({**AT_PUBLIC, "host": "old.example"}, PUBLIC, ["live_host"]),
        ({**AT_PUBLIC, "host": ""}, PUBLIC, ["live_host"]),
        ({**AT_PUBLIC, "https_listener": ""}, PUBLIC, ["gateway (which has HTTPS by now)"]),
        ({"gateway": "", "gateway_class": "a", "issuer": "old"}, MADE, ["cert_issuer"]),
        (
            {"gateway": "", "gateway_class": "a", "host": "shop.example"},
            f"{MADE}live_host: shop.example\nstaging_host: s.example\ncert_issuer: letsencrypt\n",
            ["cert_issuer"],
        ),
        (
            {**AT_PUBLIC, "host": "shop-live.apps.example"},
            f"{MADE}gateway: gateways/public\ngateway_domain: other.example\n",
            ["gateway_domain"],
        ),
        (
            {"gateway": "", "gateway_class": "a", "host": "shop-live.apps.example"},
            MADE,
            ["gateway_domain"],
        ),
        ({"gateway": "", "gateway_class": "a", "host": "shop.example"}, MADE, ["live_host"]),
    ],
)
def test_what_takes_the_old_way_in_away_is_told(
    tmp_path: Path, api: Api, known: dict[str, Any], keys: str, changed: list[str]
) -> None:
    listeners = [{"name": "web", "protocol": "HTTP"}, {"name": "tls", "protocol": "HTTPS"}]
    api.put(f"{API}/namespaces/gateways/gateways/public", {"spec": {"listeners": listeners}})
    live = Live(service(tmp_path, api, keys), api, Environment("shop-live", settings(**known)))
    assert live.target.interrupting() == changed


def test_an_issuer_is_no_news_to_an_environment_without_a_host(tmp_path: Path, api: Api) -> None:
    keys = f"{MADE}live_host: shop.example\ncert_issuer: letsencrypt\n"
    known = settings(name="staging", gateway="", gateway_class="a", http_listener="http")
    there = Environment("shop-staging", known)
    target = targets.KubernetesTarget(service(tmp_path, api, keys).session, "staging", lambda: there)
    assert target.interrupting() == []


def test_a_return_puts_the_way_in_back_by_today_s_context(live: Live) -> None:
    rollout = Rollout(live.world.session, "live")
    before = settings(host="old.example", context="yesterday")
    after = settings(host="new.example", generation=7)
    environment = replace(live.environment, settings=after)
    found = earlier.put_back(rollout.target, environment, before).settings
    assert found == settings(host="old.example", generation=7)
    assert earlier.put_back(rollout.target, environment, None).settings == after, "it is new"


def test_only_a_gateway_splits(tmp_path: Path, api: Api) -> None:
    assert not EnvironmentView(service(tmp_path, api, KEYS).session, "live").splits
    assert EnvironmentView(service(tmp_path, api, PUBLIC).session, "live").splits


def _answering(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Let pods answer with their name; return which were asked."""
    asked: list[tuple[str, str, int]] = []

    class Stream:
        lost = ""

        def __init__(self, pod: str) -> None:
            self.near, far = socket.socketpair()
            with far:
                far.sendall(pod.encode())

        def socket(self, _port: int) -> Any:
            return self.near

        def error(self, _port: int) -> str:
            return ""

        def close(self) -> None:
            self.near.close()

    def forwarded(_self: Cluster, namespace: str, pod: str, port: int, _patience: float) -> Stream:
        asked.append((namespace, pod, port))
        return Stream(pod)

    monkeypatch.setattr(Cluster, "forwarded", forwarded)
    return asked


def _said(url: str) -> str:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as guest:
        return guest.recv(100).decode()


def test_each_release_alone_has_a_port_of_this_machine(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answering(monkeypatch)
    live.api.items(live.path("api/v1", "pods"), shapes.pod("a"))
    target = live.target
    first, second = (target.from_here(f"http://shop-{one.id}.shop-live.svc") for one in (FIRST, SECOND))
    assert first != second
    assert first == target.from_here(f"http://shop-{FIRST.id}.shop-live.svc"), "it is opened once"
    assert _said(second) == "a"
    assert asked == [("shop-live", "a", 8080)]
    assert live.api.of("GET")[-1].query == {"labelSelector": f"curtainup.release={SECOND.id}"}
    assert target.from_here("http://elsewhere.example") == "http://elsewhere.example"
    live.world.session.run.at_end.close()


def test_a_release_is_reached_while_the_update_goes_on_that_makes_it(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The candidate is judged while an older release is still being removed."""
    asked = _answering(monkeypatch)
    live.api.items(live.path("api/v1", "pods"), shapes.pod("new"))
    new = FIRST.model_copy(
        update={"id": "r3333333", "settings": FIRST.settings.model_copy(update={"container_port": 9090})}
    )
    rollout = Rollout(live.world.session, "live")
    rollout.environment = live.environment
    url = rollout.release_url(new)
    assert url == "http://shop-r3333333.shop-live.svc"
    assert _said(rollout.from_here(url)) == "new"
    assert asked == [("shop-live", "new", 9090)]
    live.world.session.run.at_end.close()


def test_nobody_goes_by_a_url_that_the_update_under_way_may_change(live: Live) -> None:
    rollout = Rollout(live.world.session, "live")
    rollout.environment = live.environment
    assert rollout.keeps_urls(None)
    assert rollout.keeps_urls(settings())
    assert not rollout.keeps_urls(settings(host="old.example")), "the host is another one"
    rollout.environment = replace(live.environment, outputs={})
    assert not rollout.keeps_urls(None), "a first update tells where the Gateway is"


def test_without_a_gateway_users_requests_go_where_the_service_leads_now(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answering(monkeypatch)
    live.api.items(live.path("api/v1", "pods"), shapes.pod("a"))
    live.api.put(FRONT, _front(SECOND.id))
    url = live.target.from_here("http://shop.shop-live.svc")
    assert _said(url) == "a"
    assert live.api.of("GET")[-1].query == {"labelSelector": f"curtainup.release={SECOND.id}"}
    live.world.session.run.at_end.close()


def _answers_by(monkeypatch: pytest.MonkeyPatch, *ways: str) -> list[str]:
    """Let the environment answer by these ways to its Gateway alone; return which were tried."""
    tried: list[str] = []

    def answers(url: str, how: Asking) -> bool:
        assert how.path == "/ping"
        tried.append(url)
        return url in ways

    monkeypatch.setattr(health, "answers", answers)
    return tried


def test_a_gateway_that_this_machine_reaches_is_asked_there(
    live: Live, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{api.port}"
    tried = _answers_by(monkeypatch, url)
    _behind_gateway(live, url=url)
    target = live.target
    assert target.from_here(url) == url
    assert target.from_here(url) == url
    assert tried == [url], "it is found out once"


def test_a_gateway_is_asked_at_its_address_until_its_name_leads_there(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    _behind_gateway(live, url="http://shop.example")
    monkeypatch.setattr(front, "is_reached", lambda url: url == "http://192.0.2.1")
    _answers_by(monkeypatch, "http://192.0.2.1")
    status = {"addresses": [{"value": "192.0.2.1"}]}
    live.api.put(f"{API}/namespaces/gateways/gateways/public", {"status": status})
    live.api.items("/api/v1/services")
    assert live.target.from_here("http://shop.example") == "http://192.0.2.1"


def test_what_listens_here_at_an_address_inside_the_cluster_is_somebody_else_s(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another network may have the address too; whoever listens there would be judged."""
    asked = _answering(monkeypatch)
    _behind_gateway(live, url="http://10.96.0.7")
    monkeypatch.setattr(front, "is_reached", lambda _: True)
    status = {"addresses": [{"value": "10.96.0.7"}]}
    live.api.put(f"{API}/namespaces/gateways/gateways/public", {"status": status})
    spec = {"clusterIP": "10.96.0.7", "selector": {"app": "envoy"}, "ports": [{"port": 80}]}
    live.api.items("/api/v1/services", {"metadata": {"name": "envoy", "namespace": "system"}, "spec": spec})
    live.api.items("/api/v1/namespaces/system/pods", shapes.pod("envoy-1"))
    assert _said(live.target.from_here("http://10.96.0.7")) == "envoy-1"
    assert set(asked) == {("system", "envoy-1", 80)}
    live.world.session.run.at_end.close()


def test_a_gateway_at_a_private_address_of_its_own_is_asked_there(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    _behind_gateway(live, url="http://192.168.7.7")
    monkeypatch.setattr(front, "is_reached", lambda _: True)
    spec = {"type": "LoadBalancer", "clusterIP": "10.96.0.7"}
    live.api.items("/api/v1/services", {"metadata": {"name": "envoy", "namespace": "system"}, "spec": spec})
    assert live.target.from_here("http://192.168.7.7") == "http://192.168.7.7"


def test_what_listens_there_and_is_not_the_gateway_is_not_trusted(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another network's machine at the Gateway's address, or a proxy that takes every connection."""
    _behind_gateway(live, url="http://shop.example")
    monkeypatch.setattr(front, "is_reached", lambda _: True)
    tried = _answers_by(monkeypatch, "http://192.0.2.1")
    live.api.items("/api/v1/services")
    target = live.target
    assert target.from_here("http://shop.example") == "http://shop.example", "nothing better is there"
    status = {"addresses": [{"value": "192.0.2.1"}]}
    live.api.put(f"{API}/namespaces/gateways/gateways/public", {"status": status})
    assert target.from_here("http://shop.example") == "http://192.0.2.1"
    assert tried == ["http://shop.example", "http://shop.example", "http://192.0.2.1"]


def test_a_gateway_that_only_the_cluster_reaches_is_asked_through_its_pods(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _answering(monkeypatch)
    _behind_gateway(live, url="http://shop.example")
    monkeypatch.setattr(front, "is_reached", lambda _: False)
    _answers_by(monkeypatch)
    ports = [{"port": 80, "targetPort": 10080}]
    spec = {"selector": {"app": "envoy"}, "ports": ports}
    live.api.items("/api/v1/services", {"metadata": {"name": "e", "namespace": "system"}, "spec": spec})
    live.api.items("/api/v1/namespaces/system/pods", shapes.pod("envoy"))
    target = live.target
    assert _said(target.from_here("http://shop.example")) == "envoy"
    assert asked == [("system", "envoy", 10080)]
    assert target.by_way_of() == "through the API server"
    live.world.session.run.at_end.close()


def test_https_is_asked_by_its_name_alone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """No certificate fits another one."""
    _behind_gateway(live, url="https://shop.example")
    monkeypatch.setattr(front, "is_reached", lambda _: False)
    assert live.target.from_here("https://shop.example") == "https://shop.example"


def test_a_release_is_suspected_in_its_own_pods(live: Live) -> None:
    suspect = live.target.suspect(SECOND)
    place = suspect.place
    assert (place.namespace, place.deployment) == ("shop-live", f"shop-{SECOND.id}")
    assert (place.selector, place.image, place.port) == (f"curtainup.release={SECOND.id}", SECOND.image, 8080)
    with pytest.raises(ReleaseUnhealthy, match="Deployment is gone"):
        suspect.raise_if_down()


def test_a_release_that_lost_pods_is_compared_with_the_one_that_serves(live: Live) -> None:
    live.api.items(live.path("api/v1", "pods"), shapes.pod("a"), shapes.pod("b"), shapes.unready({}))
    found = live.target.suspect(SECOND).losses
    assert found is not None
    assert found.serving() == 2
    assert live.api.asked[-1].query == {"labelSelector": f"curtainup.release={FIRST.id}"}
    found.tell("pods are lost")
    assert live.world.report.warnings == ["pods are lost"]


@pytest.mark.parametrize("how", ["renew", "revive"])
def test_pods_that_have_ended_are_made_anew_and_those_that_serve_stay(live: Live, how: str) -> None:
    again = shapes.unready({"running": {}}, restarts=2, last=shapes.ended(1))
    serving = shapes.pod("serving", containerStatuses=[shapes.container({}, 1, shapes.ended(1))])
    live.api.items(live.path("api/v1", "pods"), again, shapes.pod("well"), serving)
    getattr(live.target, how)(SECOND)
    assert [one.path for one in live.api.of("DELETE")] == [live.path("api/v1", "pods", "shop-r1-a")]


def test_a_release_gets_as_many_pods_as_the_one_that_serves_has_by_now(live: Live) -> None:
    second = live.path("apis/apps/v1", "deployments", f"shop-{SECOND.id}")
    there = [shapes.pod("a"), shapes.pod("b"), shapes.pod("c"), shapes.waiting("CrashLoopBackOff")]
    live.api.items(live.path("api/v1", "pods"), *there)
    assert live.target.grow(SECOND, FIRST) is None, "it is gone, which others tell"
    live.api.put(second, shapes.deployment(2, was_whole=True))
    growing = live.target.grow(SECOND, FIRST)
    [changed] = live.api.of("PATCH")
    assert (changed.path, changed.body) == (second, {"spec": {"replicas": 3}})
    assert growing is not None
    assert growing.spare == 0, "now it needs all"
    live.api.put(second, shapes.deployment(3))
    assert live.target.grow(SECOND, FIRST) is None
    assert len(live.api.of("PATCH")) == 1


def test_a_kept_release_whose_deployment_is_gone_can_be_made_again(live: Live) -> None:
    with pytest.raises(UnknownRelease, match="the pods of v-r2222222 are gone") as caught:
        live.target.require_there(SECOND)
    assert "curtainup pulumi up --refresh --stack shop-live" in str(caught.value.fix)
    live.api.put(live.path("apis/apps/v1", "deployments", f"shop-{SECOND.id}"), shapes.deployment())
    live.target.require_there(SECOND)


def test_what_was_deleted_by_hand_is_noticed_whatever_it_is(live: Live) -> None:
    objects = {
        "Namespace": ("v1", "/api/v1/namespaces", "shop-live"),
        "Deployment": ("apps/v1", live.path("apis/apps/v1", "deployments"), f"shop-{FIRST.id}"),
        "Secret": ("v1", live.path("api/v1", "secrets"), "shop-0123456789"),
        "HTTPRoute": (API.removeprefix("/apis/"), ROUTE.rpartition("/")[0], "shop"),
    }
    known = [_recorded(kind, version, name) for kind, (version, _, name) in objects.items()]
    given = {**_recorded("Secret", "v1", "registry-login"), "external": True}
    leaving = {**_recorded("Deployment", "apps/v1", "shop-r0000000"), "delete": True}
    resources = ({"type": "pulumi:pulumi:Stack"}, *known, given, leaving)
    live.world.engine.known["shop-live"] = Remembered(exists=True, resources=resources)

    def without(gone: str) -> None:
        live.api.put(NAMESPACE, Status(404, "NotFound", "gone") if gone == "Namespace" else {})
        for kind, (_, collection, name) in objects.items():
            live.api.items(collection, *([] if kind == gone else [{"metadata": {"name": name}}]))

    without("")
    assert not live.target.has_lost()
    asked = {one.path: one.query for one in live.api.of("GET")}
    selector = {"labelSelector": "curtainup.service=shop,curtainup.environment=live"}
    assert asked == {NAMESPACE: {}} | {objects[one][1]: selector for one in objects if one != "Namespace"}
    for kind in objects:
        without(kind)
        assert live.target.has_lost(), kind
    live.api.put(objects["HTTPRoute"][1], Status(404, "NotFound", "the kind is gone"))
    assert live.target.has_lost()
    live.environment = replace(live.environment, outputs={})
    assert not live.target.has_lost()


def test_the_cluster_is_asked_once_in_a_run_and_again_after_an_update_that_failed(live: Live) -> None:
    collection = live.path("apis/apps/v1", "deployments")
    known = _recorded("Deployment", "apps/v1", f"shop-{FIRST.id}")
    remembered = Remembered(exists=True, resources=(known,))
    live.world.engine.known["shop-live"] = remembered
    live.api.items(collection)
    rollout = Rollout(live.world.session, "live")
    rollout.environment = live.environment

    def asked() -> int:
        return sum(one.path == collection for one in live.api.of("GET"))

    assert rollout.has_lost
    assert (rollout.has_lost, asked()) == (True, 1)
    rollout.apply(live.environment.deployment)
    assert live.world.engine.refreshed == [0]
    assert (rollout.has_lost, asked()) == (False, 1), "the update has made it again"
    live.world.engine.known["shop-live"] = remembered
    rollout.refresh()
    rollout.environment = live.environment
    assert (rollout.has_lost, asked()) == (True, 2)


def _recorded(kind: str, version: str, name: str) -> dict[str, Any]:
    place = {} if kind == "Namespace" else {"namespace": "shop-live"}
    inputs = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}}
    return {"type": f"kubernetes:{version}:{kind}", "inputs": inputs}


def test_a_release_that_has_traffic_is_not_removed_whatever_pulumi_remembers(live: Live) -> None:
    live.api.put(FRONT, _front(FIRST.id))
    live.target.require_idle([SECOND])
    live.api.put(FRONT, _front(SECOND.id))
    with pytest.raises(RefusedError, match=r"v-r2222222 \(r2222222\) has traffic"):
        live.target.require_idle([SECOND])
    _behind_gateway(live).api.put(ROUTE, _route(r1111111=90, r2222222=10))
    with pytest.raises(RefusedError):
        live.target.require_idle([SECOND])


def test_traffic_has_moved_once_the_gateway_follows(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "CONFIRMING", 0.3)
    _behind_gateway(live).api.put(ROUTE, _route(r1111111=100, r2222222=0))
    live.target.require_moved(live.environment.deployment.traffic)
    live.api.put(ROUTE, _route(conditions=[], r1111111=100))
    with pytest.raises(TrafficReturned, match="newest weights"):
        live.target.require_moved(live.environment.deployment.traffic)
    live.api.put(ROUTE, _route(r1111111=50, r2222222=50))
    with pytest.raises(TrafficReturned, match="somebody else changed it"):
        live.target.require_moved(live.environment.deployment.traffic)


def test_a_gateway_may_take_a_moment_and_the_api_server_may_be_away_for_one(live: Live) -> None:
    answers = iter(
        [
            Status(503, "ServiceUnavailable", "away"),
            _route(conditions=[], r1111111=100),
            _route(conditions=[], r1111111=100),
        ]
    )
    _behind_gateway(live).api.put(ROUTE, lambda _: next(answers, _route(r1111111=100)))
    live.target.require_moved(live.environment.deployment.traffic)
    assert len(live.api.of("GET")) == 4


def test_without_a_gateway_the_service_tells_where_traffic_goes(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "CONFIRMING", 0.1)
    live.api.put(FRONT, _front(FIRST.id))
    live.target.require_moved(live.environment.deployment.traffic)
    live.api.put(FRONT, _front("none"))
    with pytest.raises(TrafficReturned, match=r"has \{\}, not"):
        live.target.require_moved(live.environment.deployment.traffic)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (
            'namespaces is forbidden: User "ann" cannot create resource',
            "does not allow what a deployment needs",
        ),
        ('services "shop" already exists', "is there already, and is not this environment's"),
        ('pods "x" is forbidden: exceeded quota: q', "a quota of the namespace"),
        ("unable to create new content in namespace x because it is being terminated", "is being deleted"),
        ('admission webhook "p" denied the request: no', "the cluster's policy refuses it"),
        ("configured Kubernetes cluster is unreachable: dial tcp: connection refused", "API server does not"),
        ("no matches for kind HTTPRoute in version gateway.networking.k8s.io/v1", "lacks an API"),
        ("Unauthorized", "does not accept the credentials"),
        ('httproutes.gateway.networking.k8s.io "shop" not found', "is made of is gone"),
        ('namespaces "shop-live" not found', "is made of is gone"),
    ],
)
def test_a_refused_update_says_what_the_cluster_means(live: Live, said: str, what: str) -> None:
    error = live.target.explained(EngineFailed("failed", detail=said), NOW)
    assert isinstance(error, EngineFailed)
    assert what in error.what
    assert error.detail == said
    assert str(error.where).startswith("namespace shop-live, cluster of context shop")


def test_what_the_cluster_did_not_say_stays_as_it_is(live: Live) -> None:
    failed, other = EngineFailed("failed", detail="something else"), SetupError("Unauthorized")
    assert live.target.explained(failed, NOW) is failed
    assert live.target.explained(other, NOW) is other
