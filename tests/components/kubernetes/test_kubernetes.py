from __future__ import annotations

import base64
from typing import Any

import pytest

from components.environment import EnvironmentArgs
from components.kubernetes.kubernetes import Kubernetes
from curtainup.model.release import Deployment
from curtainup.model.targets.kubernetes import gateway_url
from tests import samples
from tests.components.kubernetes import api
from tests.components.kubernetes.samples import (
    ACCOUNT,
    AUTOSCALER,
    BUDGET,
    DEPLOYMENT,
    GATEWAY,
    NAMESPACE,
    PROVIDER,
    ROUTE,
    SECRET,
    SERVICE,
    deployment,
    environment,
    one,
    release,
    rendered,
)
from tests.components.program import Registered, Run, declare, is_secret

SECRETS = {"r0000001": {"DB_PASSWORD": 'a=b"$x\nü'}, "r0000002": {"DB_PASSWORD": "hunter2"}}
EVERYTHING: dict[str, Any] = {
    "host": "shop.example.com",
    "https_listener": "https",
    "issuer": "letsencrypt",
    "max_replicas": 5,
    "image_pull_secret": "default/login",
}


def _sealed(*traffic: int) -> Deployment:
    """Return a deployment whose releases have secrets of their own."""
    found = deployment(*traffic)
    ones = [release(at + 1, secrets_hmac=f"{at + 1:064x}"[::-1]) for at in range(len(traffic))]
    return Deployment(releases=tuple(ones), traffic=found.traffic)


def _objects(run: Run) -> list[Registered]:
    return [one for one in run.resources if one.type.startswith("kubernetes:")]


def _pod(run: Run, id_: str = "r0000001") -> dict[str, Any]:
    found: dict[str, Any] = run.of(DEPLOYMENT)[f"shop-live-{id_}"].inputs["spec"]["template"]["spec"]
    return found


def test_the_way_into_the_cluster_is_never_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubeconfig holds credentials, and its path is another one on the next machine."""
    monkeypatch.setenv("KUBECONFIG", "/home/ann/.kube/config")
    inputs = rendered(one()).one(PROVIDER).inputs
    assert inputs.get("kubeconfig") is None
    assert inputs["context"] == "production"


def test_what_is_somebody_else_s_is_refused_by_the_cluster() -> None:
    """Server-Side Apply would take it over: the provider then creates nothing by POST."""
    assert rendered(one()).one(PROVIDER).inputs["enableServerSideApply"] == "false"


def test_every_object_has_a_name_and_is_in_the_namespace() -> None:
    run = rendered(_sealed(50, 50), SECRETS, **EVERYTHING)
    assert run.one(NAMESPACE).inputs["metadata"]["name"] == "shop-live"
    for object_ in _objects(run):
        metadata = object_.inputs["metadata"]
        assert metadata["name"]
        assert len(metadata["name"]) <= 63
        assert object_.type == NAMESPACE or metadata["namespace"] == "shop-live"
        assert object_.provider == "shop-live-kubernetes"


def test_every_object_tells_whose_it_is() -> None:
    run = rendered(_sealed(50, 50), SECRETS, **EVERYTHING)
    for object_ in _objects(run):
        labels = object_.inputs["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "pulumi"
        assert labels["app.kubernetes.io/name"] == labels["curtainup.service"] == "shop"
        assert labels["app.kubernetes.io/instance"] == "shop-live"
        assert (labels["curtainup.environment"], labels["curtainup.state"]) == ("live", "a1b2c3")


def test_no_other_cluster_makes_another_provider() -> None:
    """The engine would replace everything, and break the state where it cannot."""
    assert "clusterIdentifier" not in rendered(one()).one(PROVIDER).inputs


def test_the_api_has_every_field_that_is_sent() -> None:
    """The cluster drops a field that it does not know, and says nothing."""
    full = _sealed(50, 50)
    run = rendered(full, SECRETS, **EVERYTHING)
    wanted = [object_ for object_ in _objects(run) if object_.type not in {ROUTE, GATEWAY}]
    assert {object_.type for object_ in wanted} >= {ACCOUNT, AUTOSCALER, BUDGET, DEPLOYMENT, SECRET, SERVICE}
    for object_ in wanted:
        manifest = {
            name: value["value"] if is_secret(value) else value
            for name, value in object_.inputs.items()
            if value is not None
        }
        manifest = {name: value for name, value in manifest.items() if name != "data"}
        assert api.unknown(manifest) == []


def test_the_check_finds_a_field_that_the_api_does_not_have() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"portt": 1}], "selector": "x"}}
    assert api.unknown(wrong) == ["Service.spec.ports[0].portt", "Service.spec.selector"]


def test_a_namespace_takes_only_pods_without_privileges() -> None:
    labels = rendered(one()).one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_namespace_has_the_time_that_its_pods_take_to_stop() -> None:
    assert rendered(deployment(0, 100)).one(NAMESPACE).timeouts == ("", "", "350s")
    assert rendered(one(drain_timeout=3600)).one(NAMESPACE).timeouts == ("", "", "3920s")


def test_pods_are_confined() -> None:
    pod = _pod(rendered(one()))
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": False,
    }
    assert pod["automountServiceAccountToken"] is False
    assert rendered(one()).one(ACCOUNT).inputs["automountServiceAccountToken"] is False


def test_a_read_only_container_can_write_to_tmp() -> None:
    pod = _pod(rendered(one(read_only=True)))
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {}}]
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert "volumes" not in _pod(rendered(one()))


def test_every_setting_of_a_release_reaches_its_pods() -> None:
    changed: dict[str, Any] = {
        "container_port": 5000,
        "health_path": "/health",
        "memory_mb": 1536,
        "cpus": 1.5,
        "start_timeout": 31,
        "health_timeout": 7,
        "probe_headers": {"X-Forwarded-Proto": "https", "Host": "shop.example.com"},
        "drain_timeout": 11,
        "stop_timeout": 22,
        "run_as_user": 10001,
        "env": {"PYM_ENV": "shop-live", "LEVEL": "debug"},
    }
    pod = _pod(rendered(one(**changed)))
    (container,) = pod["containers"]
    assert container["image"] == release(1).image
    assert container["ports"] == [{"name": "http", "containerPort": 5000, "protocol": "TCP"}]
    assert container["resources"]["limits"] == {"cpu": "1500m", "memory": "1536Mi"}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["terminationGracePeriodSeconds"] == 33
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 11}}}
    assert [(one["name"], one["value"]) for one in container["env"]] == [
        ("LEVEL", "debug"),
        ("PORT", "5000"),
        ("PYM_ENV", "shop-live"),
        ("VERSION", release(1).version),
    ]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert (asked["path"], asked["port"]) == ("/health", 5000)
        assert asked["httpHeaders"] == [
            {"name": "Host", "value": "shop.example.com"},
            {"name": "X-Forwarded-Proto", "value": "https"},
        ]
        assert container[probe]["timeoutSeconds"] == 7
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] == 31


def test_a_container_without_a_limit_of_processors_asks_for_some() -> None:
    """The autoscaler counts the load in what they ask for."""
    resources = _pod(rendered(one()))["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}


@pytest.mark.parametrize(
    ("memory", "written"), [(16, "16Mi"), (1023, "1023Mi"), (1024, "1Gi"), (1536, "1536Mi"), (2**20, "1Ti")]
)
def test_memory_is_written_as_the_cluster_writes_it(memory: int, written: str) -> None:
    """Else the next update would find another value, and send it again for ever."""
    resources = _pod(rendered(one(memory_mb=memory)))["containers"][0]["resources"]
    assert resources["limits"]["memory"] == written


@pytest.mark.parametrize(("cpus", "written"), [(0.0001, "1m"), (0.5, "500m"), (1.0, "1"), (2.25, "2250m")])
def test_processors_are_written_as_the_cluster_writes_them(cpus: float, written: str) -> None:
    assert _pod(rendered(one(cpus=cpus)))["containers"][0]["resources"]["limits"]["cpu"] == written


def test_the_cluster_expands_nothing_in_a_variable() -> None:
    """A value is what the configuration says, `$(PORT)` and `$$` too."""
    env = _pod(rendered(one(env={"PRICE": "$(PORT) $$ $x"})))["containers"][0]["env"]
    assert env[1] == {"name": "PRICE", "value": "$$(PORT) $$$$ $$x"}


def test_a_service_cannot_set_what_the_platform_sets() -> None:
    env = _pod(rendered(one(env={"PORT": "1", "VERSION": "x"})))["containers"][0]["env"]
    assert {one["name"]: one["value"] for one in env} == {"PORT": "8080", "VERSION": release(1).version}


def test_a_release_s_pods_are_rendered_from_its_own_entry_alone() -> None:
    """Otherwise an edited environment or another release would restart the pods that serve."""
    alone = rendered(_sealed(100), SECRETS).of(DEPLOYMENT)["shop-live-r0000001"].inputs["spec"]["template"]
    changed: dict[str, Any] = {"request_timeout": 7, "ready_timeout": 9, "generation": 9, "state": "other"}
    among = rendered(_sealed(0, 0, 100), SECRETS, **EVERYTHING, **changed)
    assert among.of(DEPLOYMENT)["shop-live-r0000001"].inputs["spec"]["template"] == alone


def test_no_pod_goes_before_another_is_there() -> None:
    spec = rendered(one()).of(DEPLOYMENT)["shop-live-r0000001"].inputs["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert spec["progressDeadlineSeconds"] > 60
    assert rendered(one()).one(BUDGET).inputs["spec"]["maxUnavailable"] == 1
    spread = _pod(rendered(one()))["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]


def test_the_engine_waits_for_no_pods() -> None:
    """It would wait for ten minutes on an image that cannot be pulled, and ten more on the Service."""
    run = rendered(deployment(100))
    for object_ in (run.one(DEPLOYMENT), run.one(SERVICE)):
        annotations = object_.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/skipAwait"] == "true"
        assert annotations["pulumi.com/deletionPropagationPolicy"] == "background"


def test_a_fixed_number_of_pods_has_no_autoscaler() -> None:
    run = rendered(one(), min_replicas=3, max_replicas=3)
    assert run.one(DEPLOYMENT).inputs["spec"]["replicas"] == 3
    assert run.one(DEPLOYMENT).ignore_changes == ()
    assert not run.of(AUTOSCALER)


def test_an_autoscaler_alone_says_how_many_pods_there_are() -> None:
    run = rendered(one(), max_replicas=6, autoscale_cpu=55)
    assert run.one(DEPLOYMENT).ignore_changes == ("spec.replicas",)
    spec = run.one(AUTOSCALER).inputs["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-r0000001"}
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 55
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_a_pod_of_a_release_is_found_by_nothing_but_its_labels() -> None:
    run = rendered(deployment(50, 50))
    for id_ in ("r0000001", "r0000002"):
        spec = run.of(DEPLOYMENT)[f"shop-live-{id_}"].inputs["spec"]
        selector = spec["selector"]["matchLabels"]
        assert selector == {"app.kubernetes.io/instance": "shop-live", "curtainup.release": id_}
        assert selector.items() <= spec["template"]["metadata"]["labels"].items()
        assert run.of(SERVICE)[f"shop-live-{id_}"].inputs["spec"]["selector"] == selector


def test_secrets_leave_as_secrets_and_stand_nowhere_else() -> None:
    run = rendered(_sealed(100), SECRETS)
    data = run.one(SECRET).inputs["data"]
    assert is_secret(data)
    assert base64.b64decode(data["value"]["DB_PASSWORD"]).decode() == SECRETS["r0000001"]["DB_PASSWORD"]
    assert run.one(SECRET).inputs["immutable"] is True
    rest = [one for one in run.resources if one.type != SECRET]
    assert data["value"]["DB_PASSWORD"] not in repr((rest, run.outputs))
    env = _pod(run)["containers"][0]["env"]
    assert env[0] == {
        "name": "DB_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "shop-1000000000", "key": "DB_PASSWORD"}},
    }
    assert "shop-live-secrets-1000000000" in run.of(DEPLOYMENT)["shop-live-r0000001"].dependencies


def test_releases_with_the_same_secrets_share_them() -> None:
    both = [release(at, secrets_hmac="ab" * 32) for at in (1, 2)]
    deployed = Deployment(releases=tuple(both), traffic={one.id: 50 for one in both})
    run = rendered(deployed, {one.id: {"KEY": "k"} for one in both})
    assert run.one(SECRET).inputs["metadata"]["name"] == "shop-ababababab"
    assert not rendered(deployed).of(SECRET)


def test_the_login_to_the_registry_is_a_copy() -> None:
    """A pod gets Secrets of its own namespace alone, and the environment makes that."""
    run = rendered(one(), image_pull_secret="default/login")
    copy = run.one(SECRET)
    assert copy.inputs["metadata"]["name"] == "shop-registry"
    assert copy.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert run.one(ACCOUNT).inputs["imagePullSecrets"] == [{"name": "shop-registry"}]
    assert "imagePullSecrets" not in rendered(one()).one(ACCOUNT).inputs
    assert run.one(PROVIDER).inputs["enableSecretMutable"] == "true", "or another login would replace it"


def test_releases_with_traffic_are_protected_except_in_staging() -> None:
    live = rendered(deployment(0, 10, 90))
    for type_ in (DEPLOYMENT, SERVICE):
        protected = {name for name, one in live.of(type_).items() if one.protect}
        assert protected == {"shop-live-r0000002", "shop-live-r0000003"}
    assert live.one(NAMESPACE).protect
    assert live.of(ROUTE)["shop-live-route"].protect
    assert not live.one(GATEWAY).protect, "another one may be named while this one serves"
    assert not any(one.protect for one in rendered(deployment(0, 0)).resources)
    staging = rendered(deployment(0, 100), name="staging")
    assert not any(one.protect for one in staging.resources)


def test_a_release_of_another_target_is_refused_before_the_first_object() -> None:
    deployed = Deployment(releases=(samples.release(1),))
    with pytest.raises(ValueError, match="r0000001 is not made for Kubernetes"):
        rendered(deployed)


def _on_docker() -> None:
    Kubernetes("shop-live", EnvironmentArgs(samples.environment(), Deployment()))


def test_an_environment_of_another_target_is_refused() -> None:
    with pytest.raises(TypeError, match="live is on docker, not on Kubernetes"):
        declare(_on_docker)


def test_the_outputs_tell_where_everything_is() -> None:
    outputs = rendered(deployment(50, 50), host="shop.example.com").outputs["shop-live"]
    assert outputs == {
        "url": "http://shop.example.com",
        "release_urls": {
            "r0000001": "http://shop-r0000001.shop-live.svc",
            "r0000002": "http://shop-r0000002.shop-live.svc",
        },
        "namespace": "shop-live",
        "workloads": {"r0000001": "shop-r0000001", "r0000002": "shop-r0000002"},
        "gateway": "shop-live/shop",
        "route": "shop",
    }


def test_an_environment_without_releases_has_no_route() -> None:
    run = rendered(Deployment())
    assert not run.of(ROUTE)
    assert run.outputs["shop-live"]["release_urls"] == {}
    assert environment().namespace == run.outputs["shop-live"]["namespace"]


@pytest.mark.parametrize(
    ("status", "url"),
    [
        (None, ""),
        ({"addresses": [{"value": "203.0.113.7"}]}, "http://203.0.113.7"),
        ({"addresses": [{"value": "2001:db8::7"}]}, "http://[2001:db8::7]"),
        ({"addresses": [{"type": "Hostname", "value": "lb.example.com"}]}, "http://lb.example.com"),
    ],
)
def test_users_reach_a_gateway_without_a_host_at_its_address(status: Any, url: str) -> None:
    assert gateway_url(status) == url
