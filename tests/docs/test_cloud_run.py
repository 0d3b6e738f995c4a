"""docs/cloud-run.md and the role that it has applied say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from components.cloud_run.artifact_registry import KEPT, TAGGED_SECONDS, UNTAGGED_SECONDS
from curtainup.config import ServiceConfig, load
from curtainup.config import cloud_run_limits as limits
from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "cloud-run.md").read_text(encoding="utf-8")
ROLE = yaml.safe_load((DOCS / "cloud-run-role.yaml").read_text(encoding="utf-8"))


def test_the_role_can_be_applied() -> None:
    """`gcloud iam roles create --file` takes these keys."""
    assert set(ROLE) == {"title", "description", "stage", "includedPermissions"}
    permissions = ROLE["includedPermissions"]
    assert len(set(permissions)) == len(permissions)
    assert all(re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", one) for one in permissions)


def test_the_role_cannot_widen_itself() -> None:
    for one in ROLE["includedPermissions"]:
        assert not one.startswith("iam.roles.")
        assert one not in {"resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.setIamPolicy"}
        assert not one.startswith("iam.serviceAccountKeys.")


def test_the_file_on_the_page_is_right(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "pym-config.yaml").write_text(text)
    config = load(tmp_path, warn=pytest.fail)
    assert config.for_environment("live").gcp_region in CLOUD_RUN_REGIONS


def test_every_key_on_the_page_is_one() -> None:
    table = PAGE.partition("| key |")[2].partition("\n\n")[0]
    keys = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert keys
    assert keys <= set(ServiceConfig.model_fields)


def test_the_sizes_on_the_page_are_those_that_are_allowed() -> None:
    table = PAGE.partition("| `cpus` |")[2].partition("\n\n")[0]
    rows = re.findall(r"\| (\d) \| (\w+) to (\w+) \|", table)
    assert len(rows) == 5
    for cpus, least, most in rows:
        low, high = (int(size[:-1]) * (1024 if size[-1] == "G" else 1) for size in (least, most))
        assert limits.size(float(cpus), low, 80) is None
        assert limits.size(float(cpus), high, 80) is None
        assert limits.size(float(cpus), low - 1, 80) is not None
        assert limits.size(float(cpus), high + 1, 80) is not None


def test_what_is_cleaned_up_is_what_the_page_says() -> None:
    days = (UNTAGGED_SECONDS // 86400, TAGGED_SECONDS // 86400)
    assert f"untagged images after {days[0]} days and others after {days[1]}" in PAGE
    assert f"keeps the newest {KEPT:,}" in PAGE
