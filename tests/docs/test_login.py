"""The trust that the manual has a cloud put into GitHub's jobs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/init.md"


@pytest.mark.parametrize(
    "repository",
    [
        pytest.param("repo:example/shop", id="older"),
        pytest.param("repo:example@OWNER_ID/shop@REPO_ID", id="since July 2026"),
    ],
)
def test_aws_trusts_both_forms_in_which_github_names_a_repository(repository: str) -> None:
    """See github.blog, changelog of 2026-04-23: immutable subject claims for GitHub Actions OIDC tokens."""
    (policy,) = [
        json.loads(one)
        for one in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "AssumeRoleWithWebIdentity" in one
    ]
    conditions = policy["Statement"][0]["Condition"]["StringEquals"]
    subjects = conditions["token.actions.githubusercontent.com:sub"]
    assert f"{repository}:environment:live" in subjects
    assert len(subjects) == 2, "no job but that of the environment may be the deployer"
