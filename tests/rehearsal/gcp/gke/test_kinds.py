"""What the stand-in refuses, and keeps, of what an environment on GKE has of Google's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.common import STATE
from curtainup.rehearsal.gcp.gke import cluster as clusters
from curtainup.rehearsal.gcp.gke import real
from curtainup.rehearsal.gcp.gke.address import GlobalAddress
from curtainup.rehearsal.gcp.gke.certificates import Certificate, CertificateMap, CertificateMapEntry
from curtainup.rehearsal.gcp.gke.cluster import Cluster
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, CloudError

PROJECT = "my-project"
APIS = ["certificatemanager.googleapis.com", "compute.googleapis.com", "container.googleapis.com"]
PLACE = f"projects/{PROJECT}/locations/europe-west1/clusters/shops"
SHOPS: dict[str, Any] = {"name": "shops", "location": "europe-west1", "enableAutopilot": True}
GLOBAL = f"projects/{PROJECT}/locations/global"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A project with the APIs enabled."""
    found = Cloud(Home(tmp_path), Faults(), {"project": PROJECT})
    with found.home.cloud(STATE) as state:
        state["projects"] = {PROJECT: {"apis": list(APIS)}}
    for name in ("furnish", "clear"):
        monkeypatch.setattr(real, name, lambda _: None)
    return found


def _made(cloud: Cloud, host: str = "shop.example.com") -> tuple[str, str, str]:
    """A certificate, its map and the entry; return their ids."""
    certificate = Certificate(cloud).create({"name": "shop", "managed": {"domains": [host]}}).id
    map_ = CertificateMap(cloud).create({"name": "shop"}).id
    entry = {"name": "shop", "map": "shop", "hostname": host, "certificates": [certificate]}
    return certificate, map_, CertificateMapEntry(cloud).create(entry).id


@pytest.mark.parametrize(
    ("changed", "property_", "said"),
    [
        ({"name": "Shops"}, "name", "not a valid name"),
        ({"location": "europe-west99"}, "location", "does not exist"),
        ({"location": "europe-west1-b"}, "location", "must be regional"),
        ({"initialNodeCount": 3}, "initialNodeCount", "conflicts with enable_autopilot"),
        ({"nodeConfig": {"machineType": "e2"}}, "nodeConfig", "conflicts with enable_autopilot"),
    ],
)
def test_a_cluster_that_google_would_refuse(
    cloud: Cloud, changed: dict[str, Any], property_: str, said: str
) -> None:
    [found] = Cluster(cloud).check({**SHOPS, **changed})
    assert (found.property, said in found.reason) == (property_, True)
    assert Cluster(cloud).check(SHOPS) == []


def test_a_cluster_is_made_once_and_never_removed_while_it_is_protected(cloud: Cloud) -> None:
    made = Cluster(cloud).create(SHOPS)
    assert (made.id, made.outputs["endpoint"]) == (PLACE, "198.51.100.4")
    with pytest.raises(CloudError, match="Already exists"):
        Cluster(cloud).create(SHOPS)
    with pytest.raises(CloudError, match="deletion_protection is set to true"):
        Cluster(cloud).delete(PLACE, {"project": PROJECT, "deletionProtection": True})
    assert Cluster(cloud).read(PLACE, {"project": PROJECT}) is not None
    Cluster(cloud).delete(PLACE, {"project": PROJECT, "deletionProtection": False})
    assert Cluster(cloud).read(PLACE, {"project": PROJECT}) is None


def test_without_its_api_nothing_is_made(cloud: Cloud) -> None:
    with cloud.home.cloud(STATE) as state:
        state["projects"][PROJECT]["apis"] = []
    for kind, inputs in ((Cluster, SHOPS), (GlobalAddress, {"name": "a"}), (CertificateMap, {"name": "a"})):
        with pytest.raises(CloudError, match="has not been used in project"):
            kind(cloud).create(inputs)


def test_a_cluster_s_credentials_lead_to_the_real_one(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority: ca.crt}}]\n"
        "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
    )
    real.remember(cloud.home, f"{tmp_path / 'absent'}:{file}", "here")
    assert clusters.kubeconfig(cloud.home, PLACE, "gke_shops") is None
    Cluster(cloud).create(SHOPS)
    found = clusters.kubeconfig(cloud.home, PLACE, "gke_shops")
    assert found is not None
    assert found["contexts"] == [
        {"name": "gke_shops", "context": {"cluster": "gke_shops", "user": "gke_shops"}}
    ]
    [there] = found["clusters"]
    assert there["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority": str(tmp_path / "ca.crt"),
    }
    assert found["users"][0]["user"] == {"token": "t"}


def test_an_address_is_reserved_once_and_stays(cloud: Cloud) -> None:
    made = GlobalAddress(cloud).create({"name": "shop-live"})
    assert made.outputs["address"].startswith("203.0.113.")
    with pytest.raises(CloudError, match="already exists"):
        GlobalAddress(cloud).create({"name": "shop-live"})
    GlobalAddress(cloud).delete(made.id, {"project": PROJECT})
    again = GlobalAddress(cloud).create({"name": "shop-live"})
    assert again.outputs["address"] == made.outputs["address"]


@pytest.mark.parametrize(
    ("inputs", "property_"),
    [
        ({"name": "Shop"}, "name"),
        ({"name": "s" * 64}, "name"),
        ({"addressType": "PUBLIC"}, "addressType"),
        ({"labels": {"service": "Shop!"}}, "labels"),
    ],
)
def test_an_address_that_google_would_refuse(cloud: Cloud, inputs: dict[str, Any], property_: str) -> None:
    assert [one.property for one in GlobalAddress(cloud).check(inputs)] == [property_]


def test_a_certificate_waits_for_dns_and_cannot_go_while_a_map_leads_to_it(cloud: Cloud) -> None:
    certificate, map_, entry = _made(cloud)
    assert (map_, entry) == (
        f"{GLOBAL}/certificateMaps/shop",
        f"{GLOBAL}/certificateMaps/shop/certificateMapEntries/shop",
    )
    with cloud.home.cloud(STATE) as state:
        assert state["projects"][PROJECT]["certificates"][certificate]["state"] == "PROVISIONING"
    outputs = {"project": PROJECT}
    for kind, id_ in ((Certificate, certificate), (CertificateMap, map_)):
        with pytest.raises(CloudError, match="failedPrecondition"):
            kind(cloud).delete(id_, outputs)
    CertificateMapEntry(cloud).delete(entry, outputs)
    for kind, id_ in ((Certificate, certificate), (CertificateMap, map_)):
        kind(cloud).delete(id_, outputs)
        assert kind(cloud).read(id_, outputs) is None


def test_two_hosts_may_be_in_one_map_while_one_takes_the_place_of_the_other(cloud: Cloud) -> None:
    old, _, entry = _made(cloud)
    new = Certificate(cloud).create({"name": "shop-2", "managed": {"domains": ["b.example"]}}).id
    inputs = {"name": "shop-2", "map": "shop", "hostname": "b.example", "certificates": [new]}
    CertificateMapEntry(cloud).create(inputs)
    outputs = {"project": PROJECT}
    CertificateMapEntry(cloud).delete(entry, outputs)
    Certificate(cloud).delete(old, outputs)
    assert Certificate(cloud).read(new, outputs) is not None


def test_an_entry_needs_its_map_and_its_certificates(cloud: Cloud) -> None:
    certificate, *_ = _made(cloud)
    entry = {"name": "other", "map": "shop", "hostname": "a.example.com", "certificates": [certificate]}
    for changed in ({"map": "absent"}, {"certificates": [f"{GLOBAL}/certificates/absent"]}):
        with pytest.raises(CloudError, match="was not found"):
            CertificateMapEntry(cloud).create({**entry, **changed})


@pytest.mark.parametrize(
    "inputs",
    [
        {"name": "1"},
        {"name": "shop"},
        {"managed": {"domains": []}},
        {"managed": {"domains": ["shop"]}},
        {"managed": {"domains": ["shop.example.com"]}, "selfManaged": {}},
    ],
)
def test_a_certificate_that_google_would_refuse(cloud: Cloud, inputs: dict[str, Any]) -> None:
    assert Certificate(cloud).check(inputs)


def test_an_entry_is_for_a_host_or_for_everything_else(cloud: Cloud) -> None:
    entry = {"name": "shop", "map": "shop", "certificates": []}
    assert CertificateMapEntry(cloud).check(entry)
    assert CertificateMapEntry(cloud).check({**entry, "hostname": "a.b", "matcher": "PRIMARY"})
    assert CertificateMapEntry(cloud).check({**entry, "hostname": "a.b"}) == []
