"""The workflow that runs the check every night is off until somebody sets its variables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from curtainup.commands.init import actions

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github/workflows/cloud-check.yml"
WORKFLOW = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_it_follows_its_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(FILE),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", WORKFLOW["jobs"])
def test_a_job_is_off_until_its_variable_is_set_and_has_the_rights_that_it_needs(name: str) -> None:
    job = WORKFLOW["jobs"][name]
    assert re.fullmatch(r"vars\.CLOUD_CHECK_\w+ != ''", job["if"])
    assert job["environment"] == "cloud-check"
    assert WORKFLOW["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert any(f"make cloud-check TARGET={name}" in step.get("run", "") for step in job["steps"])


def test_every_action_is_one_commit_as_in_the_workflows_that_init_writes() -> None:
    known = {one.repository: str(one) for one in actions.PINNED.values()}
    for used in re.findall(r"uses: (.*)", FILE.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used)
        repository = used.partition("@")[0]
        assert used == known.get(repository, used)


def test_the_report_has_neither_state_nor_passphrase() -> None:
    for job in WORKFLOW["jobs"].values():
        assert job["steps"][-1]["with"]["path"] == "cloud-check/*/report.*"
