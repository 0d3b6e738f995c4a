from __future__ import annotations

import json
import re
from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import ParseError

from components.cloud_run.cloud_run import CloudRun, account_id, release_urls, secret_id, told_traffic
from components.environment import EnvironmentArgs
from curtainup.model import release_config
from curtainup.model.release import Deployment
from curtainup.rehearsal import schema
from tests import samples
from tests.components.cloud_run import api as cloud_run_api
from tests.components.cloud_run.samples import (
    ACCOUNT,
    API,
    INVOKER,
    PROVIDER,
    READER,
    SECRET,
    SERVICE,
    VERSION,
    deployment,
    environment,
    one,
    release,
    rendered,
)
from tests.components.program import Run, declare, is_secret, render

SECRETS = {"r0000001": {"DB_PASSWORD": "hunter2"}, "r0000002": {"DB_PASSWORD": "hunter22", "KEY": "k"}}


def _service(run: Run) -> run_v2.Service:
    return cloud_run_api.service(run.one(SERVICE).inputs, "team-1")


def _container(run: Run) -> run_v2.Container:
    (container,) = _service(run).template.containers
    return container


def test_the_service_is_called_after_service_and_environment() -> None:
    run = rendered(deployment(100), name="staging")
    assert _service(run).name == "projects/team-1/locations/europe-west1/services/shop-staging"


def test_the_template_is_the_newest_release() -> None:
    template = _service(rendered(deployment(100, 0))).template
    assert template.revision == "shop-live-r0000002"
    assert template.containers[0].image == release(2).image
    assert template.labels == {
        "curtainup-service": "shop",
        "curtainup-environment": "live",
        "curtainup-release": "r0000002",
        "curtainup-version": "200415-0819-2-b3548e",
    }


def test_a_release_is_rendered_from_its_own_entry_alone() -> None:
    """The name of a revision with another spec is a 409: nothing of the environment may be in it."""
    changed: dict[str, Any] = {"min_instances": 3, "max_instances": 7, "ready_timeout": 9, "generation": 9}
    alone = rendered(one(), SECRETS).one(SERVICE).inputs["template"]
    among = Deployment(releases=(release(9), release(1)), traffic={"r0000009": 40, "r0000001": 60})
    assert rendered(among, SECRETS, **changed).one(SERVICE).inputs["template"] == alone


def test_without_the_dropped_newest_the_older_revision_is_what_it_was() -> None:
    """Its secret versions too, or taking a failed release away would be a 409."""
    first = Deployment(releases=(release(1),), traffic={"r0000001": 100})
    before = rendered(first, SECRETS).one(SERVICE).inputs
    assert rendered(deployment(100, 0), SECRETS).one(SERVICE).inputs != before
    assert rendered(first, SECRETS).one(SERVICE).inputs == before


def test_only_another_newest_release_renders_the_template() -> None:
    """A shift, and a return to a kept release, send the template as it was made."""
    for already, ignored in (("r0000002", ("template",)), ("r0000001", ()), ("", ())):
        run = rendered(deployment(100, 0), SECRETS, already)
        assert run.one(SERVICE).ignore_changes == ignored


def test_every_setting_of_a_release_reaches_its_revision() -> None:
    changed: dict[str, Any] = {
        "container_port": 5000,
        "health_path": "/health",
        "memory_mb": 2048,
        "cpus": 2.0,
        "concurrency": 8,
        "request_timeout": 7,
        "start_timeout": 31,
        "env": {"PYM_ENV": "shop-live", "LEVEL": "debug"},
    }
    run = rendered(one(**changed))
    template, container = _service(run).template, _container(run)
    assert template.max_instance_request_concurrency == 8
    assert template.timeout.seconds == 7
    assert dict(container.resources.limits) == {"cpu": "2", "memory": "2048Mi"}
    assert [port.container_port for port in container.ports] == [5000]
    assert {probe.http_get.path for probe in (container.startup_probe, container.liveness_probe)} == {
        "/health"
    }
    assert {probe.http_get.port for probe in (container.startup_probe, container.liveness_probe)} == {5000}
    assert [(one.name, one.value) for one in container.env] == [
        ("LEVEL", "debug"),
        ("PYM_ENV", "shop-live"),
        ("VERSION", release(1).version),
    ]


@pytest.mark.parametrize("seconds", [1, 2, 3, 60, 239, 240])
def test_a_container_has_its_time_to_start(seconds: int) -> None:
    """And never more than Cloud Run's 240 seconds, nor a probe that outlasts its period."""
    probe = _container(rendered(one(start_timeout=seconds))).startup_probe
    assert seconds <= probe.period_seconds * probe.failure_threshold <= min(240, seconds + 1)
    assert probe.timeout_seconds <= probe.period_seconds


def test_processors_are_billed_while_requests_are_served() -> None:
    """The provider would send the contrary by itself."""
    assert _container(rendered(one())).resources.cpu_idle is True


def test_less_than_a_processor_runs_in_the_first_generation() -> None:
    run = rendered(one(cpus=0.5, concurrency=1))
    assert dict(_container(run).resources.limits)["cpu"] == "500m"
    generation = _service(run).template.execution_environment
    assert generation == run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN1
    assert _service(rendered(one())).template.execution_environment == 0, "else Cloud Run chooses"


def test_a_service_cannot_set_what_cloud_run_sets() -> None:
    """Cloud Run refuses a revision that names one of them."""
    variables = {"PORT": "1", "K_SERVICE": "x", "K_REVISION": "x", "K_CONFIGURATION": "x", "VERSION": "x"}
    env = _container(rendered(one(env=variables))).env
    assert [(variable.name, variable.value) for variable in env] == [("VERSION", release(1).version)]


def test_scaling_belongs_to_the_environment() -> None:
    service = _service(rendered(deployment(100), min_instances=1, max_instances=5))
    assert (service.scaling.min_instance_count, service.scaling.max_instance_count) == (1, 5)
    assert not service.template.scaling.max_instance_count


def test_everybody_may_reach_it_over_the_network() -> None:
    assert _service(rendered(deployment(100))).ingress == run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL


def test_traffic_names_revisions_never_the_latest() -> None:
    """The latest revision could be one that was never proven."""
    traffic = _service(rendered(deployment(0, 90, 10))).traffic
    assert [(target.revision, target.percent, target.tag) for target in traffic] == [
        ("shop-live-r0000001", 0, "r0000001"),
        ("shop-live-r0000002", 90, "r0000002"),
        ("shop-live-r0000003", 10, "r0000003"),
    ]
    by_revision = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    assert {target.type_ for target in traffic} == {by_revision}


@pytest.mark.parametrize("deployed", [deployment(0), deployment(0, 0)])
def test_an_unproven_release_holds_all_and_nobody_may_call_it(deployed: Deployment) -> None:
    """Cloud Run asks for 100 % in all; who may call it decides."""
    run = rendered(deployed)
    shares = [target.percent for target in _service(run).traffic]
    assert shares == [0] * (len(shares) - 1) + [100]
    assert _service(run).invoker_iam_disabled is False
    assert run.of(INVOKER) == {}
    assert rendered(deployed, public_grant=True).of(INVOKER) == {}


def test_the_public_may_call_what_is_proven_without_a_grant() -> None:
    """See https://cloud.google.com/run/docs/authenticating/public: it is the way that Google recommends."""
    run = rendered(deployment(0, 100))
    assert _service(run).invoker_iam_disabled is True
    assert run.of(INVOKER) == {}


def test_where_the_setting_is_forbidden_the_public_may_be_granted_the_call() -> None:
    run = rendered(deployment(0, 100), public_grant=True)
    assert _service(run).invoker_iam_disabled is False
    inputs = run.one(INVOKER).inputs
    assert inputs == {
        "name": "shop-live",
        "location": "europe-west1",
        "role": "roles/run.invoker",
        "member": "allUsers",
    }


def test_the_containers_have_an_identity_of_their_own_with_nothing_granted_but_its_secrets() -> None:
    run = rendered(deployment(100, 0), SECRETS)
    email = "shop-live@team-1.iam.gserviceaccount.com"
    assert _service(run).template.service_account == email
    readers = {reader.inputs["secretId"]: reader.inputs for reader in run.of(READER).values()}
    assert set(readers) == {"shop-live-DB_PASSWORD", "shop-live-KEY"}
    for reader in readers.values():
        assert reader["member"] == f"serviceAccount:{email}"
        assert reader["role"] == "roles/secretmanager.secretAccessor"
    granting = [made.type for made in run.resources if "role" in made.inputs]
    assert set(granting) == {READER}


def test_the_containers_may_read_a_secret_before_any_release_has_it() -> None:
    """A grant is enforced after minutes, and it stays when a first release is taken away."""
    run = rendered(Deployment(), secret_names=("DB_PASSWORD", "KEY"))
    assert {made.inputs["secretId"] for made in run.of(SECRET).values()} == {
        "shop-live-DB_PASSWORD",
        "shop-live-KEY",
    }
    assert len(run.of(READER)) == 2
    assert run.of(VERSION) == {}
    assert run.outputs["shop-live"]["granted"] == ["DB_PASSWORD", "KEY"]


def test_a_secret_stays_while_a_kept_release_has_it() -> None:
    run = rendered(deployment(100), SECRETS, secret_names=("KEY",))
    assert len(run.of(SECRET)) == len(run.of(READER)) == 2


def test_secrets_are_in_secret_manager_and_nowhere_else() -> None:
    run = rendered(deployment(100, 0), SECRETS)
    versions = run.of(VERSION)
    assert set(versions) == {
        "shop-live-r0000001-DB_PASSWORD",
        "shop-live-r0000002-DB_PASSWORD",
        "shop-live-r0000002-KEY",
    }
    for version in versions.values():
        assert is_secret(version.inputs["secretData"])
    others = [made for made in run.resources if made.type != VERSION]
    assert "hunter2" not in repr((others, run.outputs))
    for version in versions.values():
        del version.inputs["secretData"]
    assert "hunter2" not in repr(versions)


def test_the_containers_get_fixed_versions_of_their_secrets() -> None:
    """A rollback brings the secret back too."""
    env = {variable.name: variable for variable in _container(rendered(deployment(100, 0), SECRETS)).env}
    reference = env["DB_PASSWORD"].value_source.secret_key_ref
    assert reference.secret == "shop-live-DB_PASSWORD"
    assert re.fullmatch(r"[0-9]+", reference.version)
    assert not env["DB_PASSWORD"].value


def test_a_secret_that_only_an_older_release_has_stays() -> None:
    run = rendered(deployment(100, 0), {"r0000001": {"OLD": "hunter2"}})
    assert set(run.of(SECRET)) == {"shop-live-OLD"}
    assert "OLD" not in {variable.name for variable in _container(run).env}


def test_secrets_stay_in_their_region() -> None:
    secret = rendered(deployment(100), SECRETS).of(SECRET)["shop-live-DB_PASSWORD"].inputs
    assert secret["replication"] == {"userManaged": {"replicas": [{"location": "europe-west1"}]}}


def test_the_service_comes_after_what_its_containers_need() -> None:
    needed = {"shop-live-DB_PASSWORD-reader", "shop-live-run", "shop-live-secretmanager", "shop-live-account"}
    assert needed <= set(rendered(one(), SECRETS).one(SERVICE).dependencies)


def test_apis_are_enabled_and_never_disabled() -> None:
    """Other things in the project may need them."""
    apis = rendered(deployment(100)).of(API).values()
    assert {api.inputs["service"].partition(".")[0] for api in apis} == {
        "artifactregistry",
        "iam",
        "logging",
        "run",
        "secretmanager",
    }
    assert all(api.inputs["disableOnDestroy"] is False for api in apis)


def test_only_live_is_protected_and_only_while_it_has_traffic() -> None:
    assert rendered(deployment(0, 100)).one(SERVICE).protect
    for deployed, name in ((deployment(0), "live"), (deployment(100), "staging"), (deployment(100), "pr-1")):
        assert not rendered(deployed, name=name).one(SERVICE).protect
    assert rendered(deployment(100)).one(SERVICE).inputs["deletionProtection"] is False


def test_the_cloud_has_a_bounded_time() -> None:
    assert rendered(deployment(100), ready_timeout=90).one(SERVICE).timeouts == ("90s", "90s", "90s")


def test_everything_is_made_in_the_configured_project_and_region() -> None:
    run = rendered(deployment(100), SECRETS)
    assert run.one(PROVIDER).inputs == {"project": "team-1", "region": "europe-west1"}
    children = [made for made in run.resources if made.type.startswith("gcp:")]
    assert {made.provider for made in children} == {"shop-live-gcp"}
    assert {made.parent for made in children} == {"shop-live"}
    assert all(made.name.startswith("shop-live-") for made in children)


def test_without_releases_there_is_no_service() -> None:
    run = rendered(Deployment())
    assert run.of(SERVICE) == {}
    assert run.of(INVOKER) == {}
    assert run.outputs["shop-live"]["url"] == ""
    assert run.outputs["shop-live"]["release_urls"] == {}


def test_users_and_tests_are_told_where_to_go() -> None:
    deployed = deployment(10, 90)
    told = render(
        {
            "environment": environment().model_dump(mode="json"),
            "releases": release_config.to_config(deployed, {}),
            "traffic": deployed.traffic,
        }
    ).exported()
    assert told["url"] == "https://shop-live-xyz-ew.a.run.app"
    assert told["release_urls"] == {
        "r0000001": "https://r0000001---shop-live-xyz-ew.a.run.app",
        "r0000002": "https://r0000002---shop-live-xyz-ew.a.run.app",
    }
    assert told["traffic_statuses"] == {"r0000001": 10, "r0000002": 90}
    assert told["console"].endswith("/run/detail/europe-west1/shop-live/metrics?project=team-1")


class _Status:
    def __init__(self, percent: int | None, revision: str | None, tag: str | None, uri: str | None) -> None:
        self.percent, self.revision, self.tag, self.uri = percent, revision, tag, uri


def test_traffic_that_somebody_else_has_moved_is_told() -> None:
    names = {"shop-live-r0000001": "r0000001"}
    told: list[Any] = [
        _Status(40, "shop-live-r0000001", None, None),
        _Status(10, "shop-live-r0000001", "r0000001", "https://one"),
        _Status(30, "shop-live-00002-abc", "by-hand", "https://two"),
        _Status(20, None, None, None),
    ]
    assert told_traffic(told, names) == {"r0000001": 50, "shop-live-00002-abc": 30, "latest": 20}
    assert release_urls(told, ["r0000001", "r0000002"]) == {"r0000001": "https://one"}


def test_names_fit() -> None:
    run = rendered(one(), SECRETS, service="a" * 30, name="r" * 7)
    assert len(run.one(SERVICE).inputs["template"]["revision"]) <= 63
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", run.one(ACCOUNT).inputs["accountId"])
    assert account_id("a-b") == "a-b-run", "six characters are the least"
    assert account_id("a" * 30) == "a" * 30
    assert account_id("a" * 31) != account_id("a" * 32)
    assert len(secret_id("shop-live", "A" * 255)) == 255


def _refused(deployed: Deployment, **changed: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        rendered(deployed, **changed)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"memory_mb": 8192}, "gcp_memory: 8G is too much for 1 cpu"),
        ({"cpus": 3.0}, "cpus: 3 is not a number that Cloud Run offers"),
        ({"cpus": 0.5}, "gcp_request_concurrency: 80 is too many"),
        ({"start_timeout": 241}, "start_timeout: 241 is more than Cloud Run waits"),
    ],
)
def test_what_cloud_run_would_refuse_names_its_key(changed: dict[str, Any], said: str) -> None:
    assert said in _refused(one(**changed))


def test_a_name_that_is_too_long_names_its_key() -> None:
    assert "name: gives the Cloud Run service the name" in _refused(one(), service="a" * 40, name="r" * 9)


def test_a_release_that_serves_is_not_judged_again() -> None:
    """Cloud Run has taken it; only what is new can be refused."""
    old = release(1, settings=release(1).settings.model_copy(update={"cpus": 3.0}))
    rendered(Deployment(releases=(old, release(2)), traffic={old.id: 100}))


def test_a_release_of_another_target_is_refused() -> None:
    assert "r0000001 is not made for Cloud Run" in _refused(Deployment(releases=(samples.release(1),)))


def test_an_environment_of_another_target_is_refused() -> None:
    def work() -> None:
        CloudRun("shop-live", EnvironmentArgs(samples.environment(), Deployment()))

    with pytest.raises(TypeError, match="not on Cloud Run"):
        declare(work)


def test_the_messages_are_strict() -> None:
    """Else the tests above would prove nothing."""
    inputs = rendered(deployment(100)).one(SERVICE).inputs
    for wrong in (
        {"surprise": 1},
        {"ingress": "INGRESS_TRAFFIC_SOME"},
        {"scaling": {"minInstanceCount": "few"}},
    ):
        with pytest.raises(ParseError):
            cloud_run_api.service({**inputs, **wrong})
    assert json.dumps(inputs["template"])


def test_every_resource_is_what_the_provider_s_own_types_allow() -> None:
    run = rendered(deployment(0, 90, 10), SECRETS, public_grant=True)
    resources = [made for made in run.resources if made.type.startswith("gcp:")]
    assert {made.type for made in resources} == {API, ACCOUNT, SECRET, VERSION, READER, SERVICE, INVOKER}
    for made in resources:
        assert schema.failures(made.type, _plain(made.inputs)) == [], made.name


def _plain(value: Any) -> Any:
    """Return a value as the provider gets it: opened, and whole numbers as such."""
    if is_secret(value):
        return _plain(value["value"])
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
