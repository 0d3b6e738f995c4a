"""A deployer without any account, and with one on loopback."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import loaders, session

from curtainup.platforms.google.api import Endpoints
from tests.accounts.amazon_account import Amazon
from tests.accounts.amazon_account import account as amazon_account
from tests.accounts.google_account import Project
from tests.accounts.google_account import account as google_account

read_once = functools.cache(loaders.create_loader)
"""What is in the files of Amazon's APIs, which each session reads anew: half a second for EC2's."""


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key, nor a profile, nor a machine of a cloud to ask."""
    for name in os.environ:
        if name.startswith(("AWS_", "GOOGLE_", "CLOUDSDK_", "GCE_")):
            monkeypatch.delenv(name)
    for name, value in (
        ("HOME", str(tmp_path)),
        ("PATH", str(tmp_path)),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_GCE_CHECK", "true"),
        ("GCE_METADATA_HOST", "127.0.0.1:9"),
        ("GCE_METADATA_IP", "127.0.0.1:9"),
        ("NO_PROXY", "127.0.0.1"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def project() -> Project:
    return Project()


@pytest.fixture
def google(
    nobody: None, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Endpoints]:
    """The deployer has the project's service account."""
    file = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with google_account(file, project) as endpoints:
        yield endpoints


@pytest.fixture
def amazon(nobody: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """The deployer has a key of the account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(session, "create_loader", read_once)
    found = Amazon()
    with amazon_account(found) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield found
