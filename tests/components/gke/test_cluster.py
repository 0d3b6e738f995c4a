from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.gke.cluster import Cluster
from curtainup.model.targets.gke import GkeCluster
from curtainup.rehearsal import schema
from tests.components.gke.samples import API, CLUSTER
from tests.components.program import Run, declare

SHOPS = GkeCluster(project="team-1", location="europe-west1", name="shops")


def _made(settings: GkeCluster = SHOPS) -> Run:
    def work() -> None:
        Cluster("curtainup-cluster-shops", settings)

    return declare(work)


def test_google_runs_its_nodes() -> None:
    inputs = _made().one(CLUSTER).inputs
    assert (inputs["name"], inputs["location"], inputs["enableAutopilot"]) == ("shops", "europe-west1", True)
    assert inputs["releaseChannel"] == {"channel": "REGULAR"}
    assert schema.failures(CLUSTER, inputs) == []


def test_nobody_deletes_it_by_mistake() -> None:
    found = _made().one(CLUSTER)
    assert found.protect
    assert found.inputs["deletionProtection"] is True


def test_it_has_the_time_that_google_takes() -> None:
    assert _made().one(CLUSTER).timeouts == ("45m", "", "45m")


def test_its_apis_are_there_first() -> None:
    run = _made()
    assert set(run.one(CLUSTER).dependencies) == set(run.of(API))
    assert {one.inputs["service"] for one in run.of(API).values()} == {
        "compute.googleapis.com",
        "container.googleapis.com",
    }


def test_it_may_be_in_a_network_of_one_s_own() -> None:
    inputs = _made(SHOPS.model_copy(update={"network": "team", "subnetwork": "shops"})).one(CLUSTER).inputs
    assert (inputs["network"], inputs["subnetwork"]) == ("team", "shops")
    assert "subnetwork" not in _made().one(CLUSTER).inputs


@pytest.mark.parametrize("name", ["Shops", "1shops", "shops-", "s" * 41, ""])
def test_a_name_that_google_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        GkeCluster(project="team-1", location="europe-west1", name=name)


def test_its_context_is_the_one_that_gcloud_writes() -> None:
    assert SHOPS.context == "gke_team-1_europe-west1_shops"
    assert SHOPS.path == "projects/team-1/locations/europe-west1/clusters/shops"
