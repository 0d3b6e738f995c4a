from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands.destroy import destroy
from curtainup.engine.state import Remembered
from curtainup.environments.rollout import Rollout
from curtainup.errors import EngineFailed, RefusedError, SetupError
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.model.targets.gke import GATEWAY_CLASS, GkeEnvironment
from curtainup.model.targets.kubernetes import KubernetesSettings
from curtainup.pipeline.run.record import Recorder
from curtainup.setup import cloud_provider
from curtainup.targets.gke.logs import GkeLogs
from curtainup.targets.gke.target import GkeTarget
from curtainup.targets.kubernetes import permissions
from curtainup.targets.kubernetes import target as kubernetes
from tests.accounts.api_server import Api
from tests.sessions import World
from tests.targets.gke.conftest import CERTIFICATE, CONTEXT, KEYS, PLACE, Live, service, settings
from tests.targets.kubernetes.conftest import FIRST

HOST = f"{KEYS}live_host: shop.example.com\n"
STACK = "curtainup-cluster-my-project-europe-west1-curtainup"


def _prepared(folder: Path, api: Api, keys: str, *, there: bool = True) -> GkeEnvironment:
    found, account = service(folder, api, keys)
    if not there:
        account.clusters.clear()
    rollout = Rollout(found.session, "live")
    rollout.prepare(allow_replace=False)
    assert isinstance(rollout.environment.settings, GkeEnvironment)
    return rollout.environment.settings


def test_an_environment_is_on_the_cluster_of_its_project(tmp_path: Path, api: Api) -> None:
    found = _prepared(tmp_path, api, KEYS)
    assert (found.project, found.cluster, found.context) == ("my-project", PLACE, CONTEXT)
    assert (found.namespace, found.gateway_class, found.ready_timeout) == ("shop-live", GATEWAY_CLASS, 900)
    assert (found.https_listener, found.certificate_host) == ("", "")


def test_it_is_settled_before_the_cluster_is_there(tmp_path: Path, api: Api) -> None:
    found = _prepared(tmp_path, api, HOST, there=False)
    assert (found.cluster, found.namespace) == (PLACE, "shop-live")
    assert api.asked == []


@pytest.mark.parametrize("there", [False, True])
def test_whether_schedules_may_be_made_is_asked_once_the_cluster_is_there(
    tmp_path: Path, api: Api, *, there: bool
) -> None:
    found, account = service(tmp_path, api, f"{KEYS}schedule: {{one: {{command: a, cron: '0 3 * * *'}}}}\n")
    account.clusters = {PLACE} if there else set()
    api.created[permissions.REVIEWS] = {"status": {"allowed": True}}
    GkeTarget(found.session, "live", lambda: Environment("shop-live")).require_schedules()
    assert bool(api.of("POST")) is there


def test_a_zone_and_a_cluster_by_name(tmp_path: Path, api: Api) -> None:
    found, account = service(tmp_path, api, f"{KEYS}gke_cluster: shops\ngke_location: europe-west1-b\n")
    account.clusters = {"projects/my-project/locations/europe-west1-b/clusters/shops"}
    target = GkeTarget(found.session, "live", lambda: Environment("shop-live"))
    assert target.first_settings([]).cluster in account.clusters
    assert target.shared() is None


def test_a_cluster_that_is_named_is_never_made(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip of the pen would be one more cluster to pay for."""
    monkeypatch.setattr(cloud_provider, "require", lambda _: None)
    found, account = service(tmp_path, api, f"{KEYS}gke_cluster: shosp\n")
    account.clusters.clear()
    target = GkeTarget(found.session, "live", lambda: Environment("shop-live"))
    assert target.shared() is None
    with pytest.raises(SetupError, match="there is no cluster shosp") as caught:
        target.require_ready()
    assert "gcloud container clusters list" in str(caught.value.fix)


REMAINDER = Remembered(exists=True, resources=({}, {"type": "kubernetes:core/v1:Namespace", "urn": "u"}))
"""What a first update has made that was cut off: no configuration says where."""


def test_a_first_deployment_that_was_cut_off_can_be_repeated(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine removes what there is before anybody asks the cluster anything."""
    monkeypatch.setattr(cloud_provider, "require", lambda _: None)
    found, _ = service(tmp_path, api)
    found.engine.known["shop-live"] = REMAINDER
    reached = _ways_at_destroy(found, monkeypatch)
    rollout = Rollout(found.session, "live")
    rollout.require_ready()
    rollout.prepare(allow_replace=False)
    assert CONTEXT in reached["shop-live"]


def test_a_first_deployment_that_was_cut_off_can_be_destroyed(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = service(tmp_path, api)
    found.engine.known["shop-live"] = REMAINDER
    reached = _ways_at_destroy(found, monkeypatch)
    destroy(found.session, Recorder(tmp_path, "shop", "destroy", environ={}), "live", "shop")
    assert CONTEXT in reached["shop-live"]
    assert not found.engine.known


def _ways_at_destroy(found: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the engine finds in KUBECONFIG when it destroys a stack."""
    reached: dict[str, str] = {}
    usual = found.engine.destroy

    def destroyed(stack: str, *rest: Any) -> Any:
        reached[stack] = str(found.session.service.environ["KUBECONFIG"])
        return usual(stack, *rest)

    monkeypatch.setattr(found.engine, "destroy", destroyed)
    return reached


def test_a_cluster_named_as_curtainup_s_own_is_never_made_either(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_provider, "require", lambda _: None)
    found, account = service(tmp_path, api, f"{KEYS}gke_cluster: curtainup\n")
    account.clusters.clear()
    with pytest.raises(SetupError) as caught:
        GkeTarget(found.session, "live", lambda: Environment("shop-live")).require_ready()
    assert "gcloud container clusters list" in str(caught.value.fix)


def test_a_first_update_may_come_before_its_cluster(live: Live) -> None:
    """Its environment has settings by then; the update itself makes the cluster."""
    live.account.clusters.clear()
    first = live.environment
    live.environment = replace(first, outputs={}, deployment=Deployment())
    live.target.require_same_place()
    live.environment = first
    with pytest.raises(SetupError, match="there is no cluster"):
        live.target.require_same_place()


def test_a_cluster_that_is_gone_has_to_be_made_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment refuses to make it: it could not know where the rest of the environment is."""
    monkeypatch.setattr(cloud_provider, "require", lambda _: None)
    live.account.clusters.clear()
    with pytest.raises(SetupError, match="there is no cluster curtainup") as caught:
        live.target.require_ready()
    assert "create-auto curtainup --location europe-west1 --project my-project" in str(caught.value.fix)


def test_the_cluster_is_made_where_none_is_there(live: Live) -> None:
    assert live.target.shared() is None
    live.account.clusters.clear()
    _forget(live)
    shared = live.target.shared()
    assert shared is not None
    assert shared.stack == STACK
    assert shared.config["cluster"] == {
        "project": "my-project",
        "location": "europe-west1",
        "name": "curtainup",
        "network": "default",
        "subnetwork": "",
    }
    assert "costs money" in shared.move


def test_the_engine_finds_the_cluster_and_the_deployer_s_own_stay(live: Live) -> None:
    live.target.bring()
    lent, own = str(live.world.session.service.environ["KUBECONFIG"]).split(":")
    assert Path(lent).name == f"{CONTEXT}.yaml"
    assert Path(lent).stat().st_mode & 0o777 == 0o600
    assert own.endswith("/own")
    live.target.bring()
    assert live.account.asked == [PLACE]


def test_a_deployer_without_the_variable_keeps_the_kubeconfig_of_the_home_folder(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody expands `~` in the variable."""
    monkeypatch.setenv("HOME", "/home/ann")
    live.world.session.service.environ.pop("KUBECONFIG")  # type: ignore[attr-defined]  # a dict here
    live.target.bring()
    assert str(live.world.session.service.environ["KUBECONFIG"]).endswith(":/home/ann/.kube/config")


def test_another_cluster_is_refused(live: Live) -> None:
    live.environment = replace(
        live.environment, settings=settings(cluster=PLACE.replace("curtainup", "others"))
    )
    with pytest.raises(RefusedError, match="is now configured for"):
        live.target.settings()


def test_an_environment_is_looked_for_where_it_is_whatever_is_configured_now(
    tmp_path: Path, live: Live
) -> None:
    """Destroying it on the other cluster would leave it, and take away what has its names there."""
    (tmp_path / "pym-config.yaml").unlink()
    live.world, live.account = service(tmp_path, live.api, f"{KEYS}gke_cluster: others\n")
    live.account.clusters.add(PLACE.replace("curtainup", "others"))
    live.target.require_same_place()
    GkeLogs(live.world.session, live.environment)
    assert live.account.asked == [PLACE]
    with pytest.raises(RefusedError, match="is now configured for"):
        live.target.settings()


def test_plain_http_leads_to_the_service_until_the_certificate_is_there(tmp_path: Path, live: Live) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n" + HOST)
    live.world, live.account = service(tmp_path, live.api, HOST)
    first = live.target.settings()
    assert isinstance(first, GkeEnvironment)
    assert (first.https_listener, first.certificate_host) == ("https", "shop.example.com")
    assert not first.is_certified
    live.environment = replace(live.environment, settings=first)
    assert live.target.settings() == first
    live.account.issued.add(CERTIFICATE)
    second = live.target.settings()
    assert isinstance(second, GkeEnvironment)
    assert second.is_certified
    live.environment = replace(live.environment, settings=second)
    live.account.issued.clear()
    assert live.target.settings() == second, "a certificate that is being renewed takes nothing away"


def test_a_certificate_map_that_is_there_needs_no_waiting(tmp_path: Path, api: Api) -> None:
    found = _prepared(tmp_path, api, f"{HOST}gke_certificate_map: everybody\n")
    assert (found.certificate_map, found.certificate_host) == ("everybody", "")
    assert found.is_certified
    assert found.is_secure


def test_what_https_still_needs_is_said_once_traffic_has_moved(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes.KubernetesTarget, "require_moved", lambda *_: None)
    named = {"host": "shop.example.com", "https_listener": "https"}
    live.environment = replace(live.environment, settings=settings(**named))
    live.target.require_moved({})
    [told] = live.world.report.infos
    assert told.startswith("shop.example.com has no certificate yet: let DNS lead it to 203.0.113.7")
    live.environment = replace(live.environment, settings=settings(**named, is_certified=True))
    live.target.require_moved({})
    assert live.world.report.infos == [told]


def test_a_rehearsal_takes_neither_namespace_nor_host(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes.KubernetesTarget, "_rehearses", True)
    found = _prepared(tmp_path, api, HOST)
    assert (found.namespace, found.host, found.https_listener) == ("shop-live-rehearsal", "", "")
    assert found.certificate_host == "shop.example.com"


def test_a_release_runs_with_what_it_does_on_any_cluster(live: Live) -> None:
    assert isinstance(live.target.runtime(), KubernetesSettings)


def test_gke_takes_its_time_to_follow_a_route(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty seconds, as elsewhere, would take traffic back from releases that are well."""
    assert live.target.confirming() == 300
    monkeypatch.setattr(kubernetes.KubernetesTarget, "_rehearses", True)
    assert live.target.confirming() == kubernetes.CONFIRMING


def test_nodes_come_for_pods_that_have_none(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live.target.suspect(FIRST).node_seconds == 300
    monkeypatch.setattr(kubernetes.KubernetesTarget, "_rehearses", True)
    assert live.target.suspect(FIRST).node_seconds == 0


def test_google_s_front_ends_take_a_while_to_follow(live: Live) -> None:
    assert live.target.lingering() == 60


def test_the_cluster_stays_when_a_service_goes_and_is_removed_by_name(live: Live) -> None:
    assert live.target.unshared() is None, "somebody else has made it"
    provider = {"type": "pulumi:providers:gcp", "urn": "p"}
    live.world.engine.known[STACK] = Remembered(exists=True, resources=(provider,))
    assert live.target.unshared() is None, "its making has failed here"
    made = {"type": "gcp:container/cluster:Cluster", "urn": "c"}
    live.world.engine.known[STACK] = Remembered(exists=True, resources=(provider, made))
    told = str(live.target.unshared())
    assert "costs money. Other services may be on it: first run `curtainup destroy` for each" in told
    assert f"pulumi state unprotect --all --yes --stack {STACK}" in told
    assert "gcloud container clusters delete curtainup --location europe-west1 --project my-project" in told


@pytest.mark.parametrize(
    ("said", "what", "fix"),
    [
        (
            f"googleapi: Error 409: Already exists: {PLACE}., alreadyExists",
            "somebody else is just making the cluster",
            "wait until",
        ),
        (
            'googleapi: Error 400: The user does not have access to service account "default".',
            "the deployer may not use the account that the nodes",
            "docs/gke.md",
        ),
        ("googleapi: Error 403: Insufficient regional quota", "the update failed", "look"),
    ],
)
def test_what_google_refuses_of_a_cluster(live: Live, said: str, what: str, fix: str) -> None:
    with pytest.raises(EngineFailed, match=what) as caught, live.target.alone():
        raise EngineFailed("the update failed", fix="look", detail=said)
    assert fix in str(caught.value.fix)
    assert caught.value.detail == said


def _forget(live: Live) -> None:
    """Let the cluster not have been found yet."""
    from curtainup.targets.gke import access

    for file in access._folder().iterdir():
        file.unlink()
