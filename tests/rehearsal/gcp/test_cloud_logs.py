"""The stand-ins of Cloud Logging and CloudWatch Logs, over what real containers have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from botocore.exceptions import ClientError

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.targets.beanstalk import BeanstalkEnvironment
from curtainup.model.targets.cloud_run import CloudRunEnvironment
from curtainup.rehearsal.aws import cloudwatch_logs, endpoint
from curtainup.rehearsal.aws.beanstalk.deploy import container_name
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp import cloud_logging, http
from curtainup.rehearsal.gcp.account import StandinGoogle
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.beanstalk.logs import BeanstalkLogs
from curtainup.targets.cloud_run.logs import CloudRunLogs
from curtainup.targets.log_lines import Asked, Source
from tests import samples
from tests.rehearsal.aws import test_endpoint
from tests.sessions import World, world

pytestmark = pytest.mark.docker
REGION = "eu-west-1"
ONE, TWO = "r0000001", "r0000002"
LINES = [f"line {number}" for number in range(50)]
SERVICE = "projects/my-project/locations/europe-west1/services/shop-live"
GROUP = f"/aws/elasticbeanstalk/shop-live-{ONE}{cloudwatch_logs.FILE}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A rehearsal in which release 1 has written LINES on both clouds, and release 2 one line, of errors."""
    found = Home(tmp_path_factory.mktemp("logs") / "rehearsal")
    routes = Routes(Cloud(found, Faults()), SERVICE)
    with found.cloud("gcp") as state:
        live: dict[str, Any] = {"revisions": {f"shop-live-{one}": {} for one in (ONE, TWO, "r0000003")}}
        state["projects"] = {"my-project": {"services": {"europe-west1/shop-live": live}}, "empty": {}}
    service = Beanstalk(Cloud(found, Faults()), REGION)
    with service.state() as state:
        for number, one in enumerate((ONE, TWO), 1):
            state["environments"][f"e-{number}"] = _environment(number, one)
    records = {one["name"].rpartition("-")[2]: one for one in service.environments()}
    client = docker.from_env()
    made = []
    for release, command in (
        (ONE, ["printf", "\\n".join(LINES) + "\\n"]),
        (TWO, ["sh", "-c", 'echo \'{"message": "structured"}\' >&2']),
    ):
        names = (routes.container(f"shop-live-{release}"), container_name(service, records[release], "1"))
        for name in names:
            made.append(client.containers.run(REFERENCES["base"], command, name=name, detach=True))
            made[-1].wait()
    yield found
    for container in made:
        container.remove(force=True)
    client.close()


def _environment(number: int, release: str) -> dict[str, Any]:
    streaming = dict(zip(("namespace", "name"), cloudwatch_logs.STREAMING, strict=True), value="true")
    found = test_endpoint._record(number, "Ready")
    return {**found, "name": f"shop-live-{release}", "settings": [streaming]}


@pytest.fixture
def shop(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
def cloud_run(home: Home, shop: World) -> Source:
    shop.session.accounts.__dict__["google"] = StandinGoogle(home)
    return CloudRunLogs(shop.session, _on_cloud_run("my-project"))


def _on_cloud_run(project: str) -> Environment:
    place = CloudRunEnvironment(
        service="shop",
        name="live",
        project=project,
        region="europe-west1",
        min_instances=0,
        max_instances=3,
        ready_timeout=60,
    )
    return Environment("shop-live", place)


@pytest.fixture
def beanstalk(home: Home, shop: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    served = endpoint.serve(home, Faults())
    for name, value in (
        ("AWS_ENDPOINT_URL", served.url),
        ("AWS_ACCESS_KEY_ID", "rehearsal"),
        ("AWS_SECRET_ACCESS_KEY", "rehearsal"),
    ):
        monkeypatch.setenv(name, value)
    environment = _on_beanstalk({one: f"shop-live-{one}" for one in (ONE, TWO)})
    yield BeanstalkLogs(shop.session, environment, lambda: environment)
    served.close()


def _on_beanstalk(environments: dict[str, str]) -> Environment:
    place = BeanstalkEnvironment(
        service="shop",
        name="live",
        region=REGION,
        cname_prefix="shop-live",
        hosts_min=1,
        hosts_max=2,
        ready_timeout=60,
    )
    return Environment("shop-live", place, samples.deployment(0, 100), outputs={"environments": environments})


@pytest.fixture(params=["cloud_run", "beanstalk"])
def source(request: pytest.FixtureRequest) -> Source:
    found: Source = request.getfixturevalue(request.param)
    return found


def test_every_line_is_read_page_by_page(source: Source) -> None:
    found = list(source.lines(Asked(releases=(ONE,))))
    assert [one.text for one in found] == LINES
    assert {one.release for one in found} == {ONE}
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_the_last_lines_of_all_releases(source: Source) -> None:
    found = list(source.lines(Asked(tail=3)))
    assert [one.release for one in found] == [ONE, ONE, TWO]
    assert [one.text for one in found[:2]] == LINES[-2:]
    assert "structured" in found[2].text


def test_nothing_older_than_wanted(source: Source) -> None:
    assert list(source.lines(Asked(since=datetime.now(UTC)))) == []


def test_a_release_that_has_written_nothing(source: Source, shop: World) -> None:
    assert list(source.lines(Asked(releases=("r0000003",)))) == []
    if isinstance(source, BeanstalkLogs):
        assert list(source.lines(Asked(releases=("r0000003",)))) == []
        [said] = shop.report.warnings
        assert said.startswith(
            "no log yet: CloudWatch Logs has no group /aws/elasticbeanstalk/shop-live-r0000003"
        )


def test_a_project_of_somebody_else_is_not_read(home: Home, shop: World) -> None:
    shop.session.accounts.__dict__["google"] = StandinGoogle(home)
    with pytest.raises(SetupError, match="the deployer may not read logs"):
        list(CloudRunLogs(shop.session, _on_cloud_run("not-mine")).lines(Asked()))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"filter": 'resource.type = "x" OR'}, "Unparseable filter"),
        ({"filter": 'nothing = "x"'}, "Field not found: 'nothing'."),
        ({"filter": 'timestamp >= "yesterday"'}, "Unparseable filter"),
        ({"orderBy": "severity"}, "Invalid order_by"),
        ({"pageSize": 1001}, "Invalid page_size"),
        ({"pageSize": 0}, "Invalid page_size"),
        ({"projectIds": ["my-project"]}, "Unknown name"),
        ({"resourceNames": ["folders/1"]}, "resource_names"),
        ({"pageToken": "bm90IG1pbmUjMQ=="}, "page_token does not match"),
    ],
)
def test_cloud_logging_refuses_what_the_real_one_would(
    home: Home, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(http.Refusal, match=message) as caught:
        cloud_logging.listed(home, {"resourceNames": ["projects/my-project"], **asked})
    assert caught.value.status == 400


def test_cloud_logging_knows_its_callers(home: Home) -> None:
    url = f"{cloud_logging.serve(home, Faults())}/v2/entries:list"
    body = {"resourceNames": ["projects/empty"]}
    known = {"Authorization": "Bearer rehearsal"}
    assert requests.post(url, json=body, timeout=60).status_code == 401
    assert requests.post(f"{url}x", json=body, headers=known, timeout=60).status_code == 404
    assert requests.get(url, headers=known, timeout=60).status_code == 404
    assert requests.post(url, data="{", headers=known, timeout=60).status_code == 400
    assert requests.post(url, json=body, headers=known, timeout=60).json() == {}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"logGroupName": GROUP, "limit": 20000}, "failed to satisfy constraint"),
        ({"logGroupName": GROUP, "startTime": 2, "endTime": 1}, "End time"),
        ({"logGroupName": GROUP, "startTime": 1, "startFromHead": False}, "Jan 1, 2024"),
        ({"logGroupName": GROUP, "nextToken": "other#1"}, "nextToken is invalid"),
        ({"logGroupName": GROUP, "filterPattern": "x"}, "does not know filterPattern"),
        ({}, "Log group name"),
        ({"logGroupName": "/aws/elasticbeanstalk/shop-live-r0000003/x"}, "log group does not exist"),
    ],
)
def test_cloudwatch_logs_refuses_what_the_real_one_would(
    home: Home, asked: dict[str, Any], message: str
) -> None:
    served = endpoint.serve(home, Faults())
    with pytest.raises(ClientError, match=message) as caught:
        test_endpoint.client(served, "logs").filter_log_events(**asked)
    served.close()
    assert caught.value.response["Error"]["Code"] in {
        "InvalidParameterException",
        "ResourceNotFoundException",
    }
