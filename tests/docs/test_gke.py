"""docs/gke.md and the role that it has applied say what the target does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from curtainup.config import ServiceConfig, load
from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS
from curtainup.model.targets.gke import CLUSTER_APIS, ENVIRONMENT_APIS, GATEWAY_CLASS
from curtainup.targets.gke import READY_SECONDS
from curtainup.targets.gke.target import CONFIRMING, LINGERING, NODES, OPENING, STACK

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "gke.md").read_text(encoding="utf-8")
ROLE = yaml.safe_load((DOCS / "gke-role.yaml").read_text(encoding="utf-8"))


def test_the_role_can_be_applied() -> None:
    """`gcloud iam roles create --file` takes these keys."""
    assert set(ROLE) == {"title", "description", "stage", "includedPermissions"}
    permissions = ROLE["includedPermissions"]
    assert len(set(permissions)) == len(permissions)
    assert all(re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", one) for one in permissions)


def test_the_role_cannot_widen_itself_nor_remove_a_cluster() -> None:
    for one in ROLE["includedPermissions"]:
        assert not one.startswith("iam.roles.")
        assert one not in {"resourcemanager.projects.setIamPolicy", "container.clusters.delete"}


def test_the_deployer_acts_as_the_account_of_the_nodes_alone() -> None:
    """In a role for the whole project, the permission would let it act as every account there."""
    assert "iam.serviceAccounts.actAs" not in ROLE["includedPermissions"]
    (bound,) = re.findall(
        r"gcloud iam service-accounts add-iam-policy-binding (\S+) (?:.|\n)*?--role (\S+)", PAGE
    )
    assert bound == ("NUMBER-compute@developer.gserviceaccount.com", "roles/iam.serviceAccountUser")


def test_the_file_on_the_page_is_right(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "pym-config.yaml").write_text(text)
    config = load(tmp_path, warn=pytest.fail)
    assert config.for_environment("live").deploy_target == "gke"
    assert config.for_environment("live").gcp_region in CLOUD_RUN_REGIONS


def test_every_key_on_the_page_is_one() -> None:
    table = PAGE.partition("| key |")[2].partition("\n\n")[0]
    keys = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {"gke_cluster", "gke_location", "gke_certificate_map"} <= keys <= set(ServiceConfig.model_fields)


def test_the_apis_on_the_page_are_those_that_are_enabled() -> None:
    told = {one.removesuffix(".googleapis.com") for one in re.findall(r"\w+\.googleapis\.com", PAGE)}
    assert told - {"iam", "artifactregistry"} == {*CLUSTER_APIS, *ENVIRONMENT_APIS}


def test_the_figures_and_names_on_the_page_are_right() -> None:
    assert f"`{GATEWAY_CLASS}`" in PAGE
    assert f"`{STACK}-PROJECT-LOCATION-NAME`" in PAGE
    assert f"{READY_SECONDS} seconds" in PAGE
    assert f"counts on {LINGERING:.0f} seconds" in PAGE.replace("\n", " ")
    assert f"up to {CONFIRMING:.0f} seconds to follow" in PAGE.replace("\n", " ")
    assert f"waits for nodes for {NODES:.0f} seconds" in PAGE.replace("\n", " ")
    assert OPENING == 600
    assert "waits up to ten minutes" in PAGE
