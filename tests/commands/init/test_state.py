"""The commands that make the place of a state; Amazon's against a stand-in of its API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from curtainup.commands.init import state
from curtainup.commands.init.detect import detect
from curtainup.commands.init.models import Found, StateKind, Wishes
from curtainup.commands.init.plan import plan
from tests.commands.init.services import SERVICES, lay_out
from tests.e2e import backends

AWS = '''\
#!{python}
"""The AWS CLI, as far as the script goes: each option is a parameter of the API, in JSON or as a text."""
import json, pathlib, re, sys
import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

service, command, *options = sys.argv[1:]
region = options[options.index("--region") + 1] if "--region" in options else "eu-west-1"
client = boto3.client({{"s3api": "s3"}}.get(service, service), region_name=region, endpoint_url="{endpoint}")
members = client.meta.service_model.operation_model(
    next(one for one in client.meta.service_model.operation_names if xform_name(one, "-") == command)
)
known = {{xform_name(one, "-"): one for one in members.input_shape.members}} if members.input_shape else {{}}
parameters, query = {{}}, None
for option, value in zip(options[::2], options[1::2], strict=True):
    if option == "--query":
        query = value
    elif option not in ("--region", "--output"):
        if value.startswith("file://"):
            value = pathlib.Path(value.removeprefix("file://")).read_text()
        elif value.startswith("{{"):
            value = json.loads(value)
        parameters[known[option.removeprefix("--")]] = value
try:
    answer = getattr(client, command.replace("-", "_"))(**parameters)
except ClientError as error:
    sys.exit(str(error))
if query:
    print(answer[query])
'''


@pytest.fixture
def found(tmp_path: Path) -> Found:
    (tmp_path / "service").mkdir()
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "service")], check=True)
    folder = lay_out(tmp_path / "service", {**SERVICES["flask"], "pym-config.yaml": "name: the-shop\n"})
    return detect(folder, Wishes(), warn=pytest.fail)


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=60).raise_for_status()
    yield f"http://{host}:{port}"
    server.stop()


def laid_out(folder: Path, found: Found, kind: StateKind) -> Path:
    for name, text in state.files_of(replace(found, state=kind)).items():
        (folder / name).write_text(text)
    return folder / state.SCRIPT


@pytest.mark.parametrize("kind", StateKind)
def test_each_state_has_commands_that_a_shell_can_read(tmp_path: Path, found: Found, kind: StateKind) -> None:
    script = laid_out(tmp_path, found, kind)
    assert "%%" not in script.read_text()
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PULUMI_BACKEND_URL=" in script.read_text()


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_amazon_s_bucket_is_versioned_encrypted_and_closed(
    tmp_path: Path, found: Found, endpoint: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    iam = boto3.client("iam", endpoint_url=endpoint, region_name=region)
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument="{}")
    script = laid_out(tmp_path, found, StateKind.S3)
    script.write_text(script.read_text().replace("REGION=eu-west-1", f"REGION={region}"))
    aws = tmp_path / "bin" / "aws"
    aws.parent.mkdir()
    aws.write_text(AWS.format(python=sys.executable, endpoint=endpoint))
    aws.chmod(0o755)
    environ = {**os.environ, "PATH": f"{aws.parent}:{os.environ['PATH']}"}
    for _ in range(2):
        done = subprocess.run(["sh", script], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    url = re.fullmatch(rf"PULUMI_BACKEND_URL=s3://([\w-]+)\?region={region}\n", done.stdout)
    assert url is not None
    bucket, s3 = url[1], boto3.client("s3", endpoint_url=endpoint, region_name=region)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    encryption: Any = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    policy: Any = iam.get_role_policy(RoleName="deployer", PolicyName="curtainup-state")["PolicyDocument"]
    resources = [one["Resource"] for one in policy["Statement"]]
    assert resources == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def test_what_init_writes_is_told(found: Found, tmp_path: Path) -> None:
    planned = plan(replace(found, state=StateKind.GCS), Wishes(state=StateKind.GCS))
    shown = [one.shown for one in planned.files if one.shown.startswith("curtainup-state/")]
    assert shown == ["curtainup-state/make.sh", "curtainup-state/lifecycle.json"]
    assert state.TODO in planned.todo
    assert json.loads(next(one.text for one in planned.files if one.shown.endswith("lifecycle.json")))


@pytest.mark.parametrize(
    ("name", "account"), [("the-shop", "theshopstate"), ("a" * 60, f"{'a' * 19}state"), ("s", "sstate")]
)
def test_a_storage_account_has_a_name_that_it_may_have(found: Found, name: str, account: str) -> None:
    text = state.files_of(replace(found, name=name, state=StateKind.AZURE))[state.SCRIPT]
    assert f"ACCOUNT={account} " in text
    assert re.fullmatch("[a-z0-9]{3,24}", account)


def test_a_database_is_its_owner_s_alone(
    tmp_path: Path, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = laid_out(tmp_path, found, StateKind.POSTGRES)
    with backends.running("postgres", tmp_path) as server:
        at = urlsplit(server.url)
        for name, value in (
            ("PGHOST", str(at.hostname)),
            ("PGPORT", str(at.port)),
            ("PGUSER", "curtainup"),
            ("PASSWORD", "it's \\ long"),
        ):
            monkeypatch.setenv(name, value)
        for _ in range(2):
            done = subprocess.run(["sh", script], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        owner = "the_shop_curtainup"
        assert f"postgres://{owner}@{at.hostname}:{at.port}/{owner}?sslmode=verify-full\n" in done.stdout
        assert _told(owner, owner, "CREATE TABLE IF NOT EXISTS pulumi_state (key text); SELECT 1") == "1"
        assert (
            _told("postgres", "curtainup", f"SELECT rolsuper FROM pg_roles WHERE rolname = '{owner}'") == "f"
        )
        _told("postgres", "curtainup", "CREATE ROLE stranger LOGIN")
        with pytest.raises(subprocess.CalledProcessError):
            _told(owner, "stranger", "SELECT 1")


def _told(database: str, user: str, query: str) -> str:
    command = ["psql", "--quiet", "--no-align", "--tuples-only", "--username", user, "--dbname", database]
    done = subprocess.run([*command, "--command", query], capture_output=True, text=True, check=True)
    return done.stdout.strip()
