"""A rehearsal and the real world have nothing to do with each other: accounts, state, plugins, imports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from curtainup.setup import paths
from tests import loopback
from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed, rehearsed
from tests.e2e.service import Finished, Service

pytestmark = pytest.mark.matrix(
    reason="test_rehearsal_cloud_run and test_rehearsal_beanstalk rehearse without any account"
)

TARGETS = {"cloud-run": CLOUD_RUN, "beanstalk": BEANSTALK}
IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Makes Python say on standard error what it imports."""


@pytest.fixture(scope="module", params=list(TARGETS))
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Rehearsed]:
    """A service with one rehearsed release, on each target in turn."""
    keys = TARGETS[request.param]
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **keys) as one:
        one.deploy()
        yield one


@contextmanager
def trap() -> Iterator[tuple[str, list[str]]]:
    """Listen on a port to which every way to a real account leads; yields its URL and who came."""
    seen: list[str] = []

    class Trap(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Callable[[], None]:
            if not name.startswith("do_"):
                raise AttributeError(name)
            return self.note

        def note(self) -> None:
            seen.append(self.requestline)
            self.send_error(418)

    with loopback.serving(Trap) as port:
        yield f"http://127.0.0.1:{port}", seen


def ways(url: str, home: Path) -> dict[str, str]:
    """The variables of somebody with accounts on all clouds; all of them are at that URL."""
    key = home / "account.json"
    key.write_text(json.dumps({"type": "authorized_user", "client_id": "me", "token_uri": f"{url}/token"}))
    place = url.removeprefix("http://")
    return {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "session",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_ELASTIC_BEANSTALK": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(key),
        "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.token",
        "GOOGLE_PROJECT": "real-project",
        "GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT": url,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": url,
        "GCE_METADATA_HOST": place,
        "GCE_METADATA_IP": place,
        "PULUMI_ACCESS_TOKEN": "pul-0123456789abcdef0123456789abcdef01234567",
        "PULUMI_API": url,
        "PULUMI_BACKEND_URL": url,
        "PULUMI_CONFIG_PASSPHRASE": "real",
        "HTTP_PROXY": url,
        "HTTPS_PROXY": url,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def test_no_real_account_is_asked_for_anything(service: Rehearsed) -> None:
    service.greet("second")

    with trap() as (url, seen):
        variables = ways(url, service.home)
        service.run("preview", code=2, env=variables)
        service.deploy(env=variables)
        service.run("status", env=variables)
        service.run("rollback", env=variables)

    assert seen == []


def test_real_state_and_the_real_pulumi_home_are_left_alone(service: Rehearsed) -> None:
    """Those that a deployment by the same user would take."""
    real = service.home / "data" / "curtainup" / "state"
    real.mkdir(exist_ok=True)
    (real / "precious").write_text("what is live")
    pulumi, plugins = service.home / "pulumi", paths.pulumi_home() / "plugins"
    before = [everything(folder) for folder in (real, pulumi, plugins)]
    service.greet("third")

    service.deploy(env={"PULUMI_BACKEND_URL": f"file://{real}", "PULUMI_CONFIG_PASSPHRASE": "real"})

    assert [everything(folder) for folder in (real, pulumi, plugins)] == before
    assert {path.name for path in (service.home / "data" / "curtainup").iterdir()} == {"rehearsal", "state"}
    own = {path.name for path in (service.rehearsal.pulumi / "plugins").iterdir()}
    assert all(name.startswith("resource-docker-") for name in own), "no stand-in is ever installed"


def everything(folder: Path) -> dict[str, int]:
    """When each file and folder was written last."""
    return {str(path): path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


@pytest.mark.parametrize("command", [("deploy",), ("status",), ("pulumi", "stack", "ls")])
def test_nothing_real_takes_the_state_of_rehearsals(service: Rehearsed, command: tuple[str, ...]) -> None:
    state, updates = f"file://{service.state_folder}", service.updates()
    passphrase = str(service.rehearsal.path / "passphrase")
    variables = {"PULUMI_BACKEND_URL": state, "PULUMI_CONFIG_PASSPHRASE_FILE": passphrase}

    done = service.really(*command, code=20, env=variables)

    assert "this backend holds rehearsals" in done.err
    assert service.updates() == updates


def test_only_the_sdk_of_the_target_is_imported(service: Rehearsed) -> None:
    service.greet("fifth")
    other = {
        "gcp-cloud-run": {"pulumi_aws", "boto3", "botocore"},
        "aws-beanstalk": {"pulumi_gcp", "google.auth"},
    }

    found = imported(service.deploy(env=IMPORTS))

    assert {"pulumi", "curtainup.pipeline"} <= found
    assert not found & other[service.config["deploy_target"]]


def test_a_docker_host_needs_no_cloud_s_sdk(new_service: Callable[[], Service]) -> None:
    found = imported(new_service().deploy(env=IMPORTS))

    assert {"pulumi_docker", "curtainup.pipeline"} <= found
    assert not found & {"pulumi_gcp", "pulumi_aws", "boto3", "botocore", "google.auth"}
    assert not [name for name in found if name.startswith("curtainup.rehearsal")]


def imported(done: Finished) -> set[str]:
    """The modules that a command has imported."""
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.err, re.MULTILINE))
