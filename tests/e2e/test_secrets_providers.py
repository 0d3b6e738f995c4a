"""Keys of a cloud and of Vault in place of a passphrase, each behind a stand-in of its API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from tests.e2e import backends, transit
from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_the_first_deployment_goes_live shows once that a state of one's own is read and written"
)
SECRET = "a-secret-that-nobody-guesses"


@contextmanager
def awskms(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A key in a stand-in of Amazon's KMS."""
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    with backends.amazon(folder) as endpoint:
        kms = boto3.client(
            "kms",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/curtainup", TargetKeyId=key)
        yield "awskms://alias/curtainup?region=us-east-1", {**account, "AWS_ENDPOINT_URL": endpoint}


@contextmanager
def hashivault(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A key in a stand-in of Vault."""
    del folder
    with transit.serving() as variables:
        yield f"hashivault://{transit.KEY}", variables


@pytest.fixture(params=[awskms, hashivault])
def sealed(
    request: pytest.FixtureRequest, tmp_path: Path, service_python: Path
) -> Iterator[tuple[Service, dict[str, str]]]:
    """A service with a secret, whose state a key of somebody else's seals; and what leads to that key."""
    with request.param(tmp_path) as (provider, variables):
        one = Service(tmp_path, "hello", service_python)
        (tmp_path / "shared").mkdir()
        url = f"file://{tmp_path}/shared"
        one.configure(secrets_provider=provider, backend=url)
        one.commit("A key of somebody else's")
        one.environ |= {**variables, "HELLO_SECRET": SECRET}
        try:
            yield one, variables
        finally:
            one.remove()


def test_a_state_is_sealed_with_a_key_that_is_not_in_it(
    sealed: tuple[Service, dict[str, str]], tmp_path: Path
) -> None:
    service, variables = sealed
    first = service.deploy("--json").json()
    assert service.deploy("--json").json()["changed"] is False, "the secret is known to be the same"
    service.environ["HELLO_SECRET"] = f"another-{SECRET}"
    assert service.deploy("--json").json()["release"] != first["release"]
    kept = [one.read_bytes() for one in (tmp_path / "shared").rglob("*") if one.is_file()]
    assert not any(SECRET.encode() in one for one in kept)
    without = dict.fromkeys(variables, "")
    service.environ["HELLO_SECRET"] = "a-third"
    assert service.run("deploy", code=20, env=without).err
