"""The judge itself, and each answer of Beanstalk's stand-in before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curtainup.rehearsal.aws import query_protocol
from curtainup.rehearsal.aws.beanstalk import api
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk, now
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from tests.rehearsal.aws import shapes

ONE = {"EnvironmentName": "shop-live-r1"}
ASKED: dict[str, dict[str, Any]] = {
    "CheckDNSAvailability": {"CNAMEPrefix": "shop-live"},
    "DescribeAccountAttributes": {},
    "DescribeApplicationVersions": {},
    "DescribeApplications": {},
    "DescribeConfigurationSettings": {**ONE, "ApplicationName": "shop"},
    "DescribeEnvironmentHealth": {**ONE, "AttributeNames": ["All"]},
    "DescribeEnvironmentResources": ONE,
    "DescribeEnvironments": {},
    "DescribeEvents": {},
    "ListAvailableSolutionStacks": {},
    "ValidateConfigurationSettings": {
        **ONE,
        "ApplicationName": "shop",
        "OptionSettings": [{"Namespace": "aws:autoscaling:asg", "OptionName": "MinSizes", "Value": "1"}],
    },
}
CHANGING = {"SwapEnvironmentCNAMEs", "TerminateEnvironment"}
"""They begin work in containers; the tests of the endpoint show what they answer."""


@pytest.fixture
def region(tmp_path: Path) -> Beanstalk:
    service = Beanstalk(Cloud(Home(tmp_path / "rehearsal"), Faults()), "eu-west-1")
    record = {
        "id": "e-1",
        "name": "shop-live-r1",
        "application": "shop",
        "version": "r1",
        "description": "v1",
        "stack": "64bit Amazon Linux 2023 v4.7.2 running Docker",
        "tier": "WebServer",
        "prefix": "shop-live",
        "cname": "127.0.0.1:1",
        "endpoint": "127.0.0.1:2",
        "created": now(),
        "updated": now(),
        "status": "Ready",
        "health": "Green",
        "health_status": "Ok",
        "causes": [],
        "settings": [{"namespace": "aws:autoscaling:asg", "name": "MinSize", "value": "1"}],
        "round": 1,
        "by": 1,
    }
    with service.state() as state:
        state["applications"]["shop"] = {"description": "by curtainup"}
        state["versions"]["shop/r1"] = {"bucket": "bundles", "key": "r1.zip", "description": "v1"}
        state["environments"]["e-1"] = record
    service.say(record, "It was put there.")
    return service


def test_each_operation_is_judged() -> None:
    assert set(ASKED) | CHANGING == set(api.OPERATIONS)


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_one_that_beanstalk_could_give(region: Beanstalk, name: str) -> None:
    operation = query_protocol.model("elasticbeanstalk").operation_model(name)
    shapes.require(operation, api.OPERATIONS[name](region, ASKED[name]))


@pytest.mark.parametrize(
    "answer",
    [
        {"Environments": [{"Name": "shop"}]},
        {"Environments": [{"EnvironmentName": 7}]},
        {"Environments": {}},
        {"Found": []},
    ],
)
def test_what_beanstalk_could_not_answer_is_found(answer: dict[str, Any]) -> None:
    operation = query_protocol.model("elasticbeanstalk").operation_model("DescribeEnvironments")
    assert shapes.faults_of(operation, answer)
