from __future__ import annotations

import pytest

from curtainup.engine.changes import Change
from curtainup.errors import RefusedError
from curtainup.pipeline.plan.dangers import described, is_dangerous, release_of, require_allowed

CONTAINER = "docker:index/container:Container"
TRAFFIC = {"r0000001": 0, "r0000002": 100}
PROXY = Change("replace", CONTAINER, "shop-live-proxy", ("ports[0].external",), ("ports[0].external",))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CONTAINER, "shop-live-proxy"),
        (CONTAINER, "shop-live-r0000002"),
        ("docker:index/network:Network", "shop-live-network"),
        ("curtainup:traffic:TrafficSwitch", "shop-live-traffic"),
        ("curtainup:cname_swap:CnameSwap", "shop-live-swap"),
        ("gcp:cloudrunv2/service:Service", "shop-live-service"),
        ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "shop-live-public"),
        ("gcp:serviceaccount/account:Account", "shop-live-account"),
        ("aws:elasticbeanstalk/application:Application", "shop-live-application"),
        ("aws:elasticbeanstalk/environment:Environment", "shop-live-r0000002"),
        ("aws:s3/bucket:Bucket", "shop-live-bundles"),
        ("aws:s3/bucketObjectv2:BucketObjectv2", "shop-live-r0000002-bundle"),
        ("aws:iam/role:Role", "shop-live-machines"),
        ("aws:secretsmanager/secret:Secret", "shop-live-r0000002-TOKEN"),
        ("aws:route53/record:Record", "shop-live-record"),
        ("kubernetes:core/v1:Namespace", "shop-live-namespace"),
        ("kubernetes:core/v1:Service", "shop-live-front"),
        ("kubernetes:apps/v1:Deployment", "shop-live-r0000002"),
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "shop-live-route"),
        ("kubernetes:gateway.networking.k8s.io/v1:Gateway", "shop-live-gateway"),
        ("gke:not/made:Yet", "shop-live-route"),
    ],
)
@pytest.mark.parametrize("operation", ["replace", "delete"])
def test_what_holds_data_or_traffic_is_dangerous_to_lose(operation: str, kind: str, name: str) -> None:
    assert is_dangerous(Change(operation, kind, name), TRAFFIC)


@pytest.mark.parametrize(
    ("operation", "kind", "name"),
    [
        ("delete", CONTAINER, "shop-live-r0000001"),
        ("delete", "aws:elasticbeanstalk/environment:Environment", "shop-live-r0000001"),
        ("delete", "aws:secretsmanager/secretVersion:SecretVersion", "shop-live-r0000001-TOKEN-value"),
        ("delete", "gcp:secretmanager/secret:Secret", "shop-live-TOKEN"),
        ("delete", "gcp:secretmanager/secretIamMember:SecretIamMember", "shop-live-TOKEN-reader"),
        ("replace", "docker:index/remoteImage:RemoteImage", "shop-build"),
        ("replace", "gcp:projects/service:Service", "shop-live-run"),
        ("delete", "gcp:cloudrunv2/job:Job", "shop-live-r0000002-job"),
        ("delete", "kubernetes:apps/v1:Deployment", "shop-live-r0000001"),
        ("delete", "kubernetes:core/v1:Secret", "shop-live-secrets-0123456789"),
        ("delete", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "shop-live-r0000002-autoscaler"),
        ("replace", "kubernetes:policy/v1:PodDisruptionBudget", "shop-live-r0000002-disruption"),
        ("replace", CONTAINER, "shop-live.worker.1"),
        ("delete", CONTAINER, "shop-live.worker.1-r0000002"),
        ("delete", "kubernetes:apps/v1:Deployment", "shop-live.worker"),
        ("update", CONTAINER, "shop-live-proxy"),
        ("create", "docker:index/network:Network", "shop-live-network"),
    ],
)
def test_what_leaves_with_an_idle_release_or_holds_nothing_is_not(
    operation: str, kind: str, name: str
) -> None:
    assert not is_dangerous(Change(operation, kind, name), TRAFFIC)


def test_a_secret_that_is_replaced_is_lost_to_those_that_read_it() -> None:
    assert is_dangerous(Change("replace", "gcp:secretmanager/secret:Secret", "shop-live-TOKEN"), TRAFFIC)


def test_where_nothing_serves_nothing_can_be_interrupted() -> None:
    assert not is_dangerous(PROXY, {})


@pytest.mark.parametrize("kind", ["docker:index/volume:Volume", "aws:ecr/repository:Repository", CONTAINER])
def test_a_registry_holds_images_whether_or_not_anything_serves(kind: str) -> None:
    assert is_dangerous(Change("delete", kind, "shop-registry"), None)


def test_a_registry_that_is_made_anew_keeps_its_images() -> None:
    """They are on its volume."""
    assert not is_dangerous(Change("replace", CONTAINER, "shop-registry"), None)
    assert is_dangerous(Change("replace", "docker:index/volume:Volume", "shop-registry"), None)


def test_a_release_is_known_by_its_whole_id() -> None:
    assert release_of("shop-live-r0000001", TRAFFIC) == "r0000001"
    assert release_of("shop-live-r0000002-TOKEN-value", TRAFFIC) == "r0000002"
    assert release_of("shop-live-r00000012", TRAFFIC) is None
    assert release_of("shop-live-proxy", TRAFFIC) is None


def test_a_danger_is_refused_without_leave_and_says_what_forces_it() -> None:
    with pytest.raises(RefusedError, match="1 change would replace or remove") as caught:
        require_allowed("shop-live", [PROXY], TRAFFIC, allow_replace=False)
    assert caught.value.where == "stack shop-live"
    assert caught.value.detail == "replace Container shop-live-proxy: ports[0].external forces it"
    assert "--allow-replace" in str(caught.value.fix)
    require_allowed("shop-live", [PROXY], TRAFFIC, allow_replace=True)


def test_an_update_is_described_by_its_keys_and_a_creation_by_its_name() -> None:
    assert described(Change("update", CONTAINER, "a", ("x", "y"))) == "update Container a: x, y"
    assert described(Change("create", CONTAINER, "a")) == "create Container a"
