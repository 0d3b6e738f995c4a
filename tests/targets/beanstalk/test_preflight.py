"""What Beanstalk is asked before anything is built, through boto3 and its own validators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from curtainup.errors import RefusedError, SetupError
from curtainup.model.targets import beanstalk_options
from curtainup.platforms import amazon
from curtainup.targets.beanstalk import preflight
from tests.components.beanstalk.samples import SETTINGS, environment

MESSAGE = {
    "Namespace": "aws:autoscaling:asg",
    "OptionName": "MaxSize",
    "Severity": "error",
    "Message": "Invalid option value: '20000' (Namespace: 'aws:autoscaling:asg', OptionName: 'MaxSize'): "
    "Value is greater than maximum allowed value: 10000",
}
WARNING = {**MESSAGE, "Severity": "warning"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return amazon.client("elasticbeanstalk", "eu-west-1", None, attempts=1)


def _asked(client: Any, *messages: dict[str, str]) -> Any:
    options = beanstalk_options.options(environment(), "0", SETTINGS)
    with Stubber(client) as stub:
        stub.add_response(
            "validate_configuration_settings",
            {"Messages": list(messages)},
            {
                "ApplicationName": "shop-live",
                "EnvironmentName": "shop-live-r1",
                "OptionSettings": [
                    {"Namespace": namespace, "OptionName": name, "Value": value}
                    for (namespace, name), value in sorted(options.items())
                ],
            },
        )
        return preflight.complaint(client, environment(), SETTINGS, "shop-live-r1")


def test_every_option_is_asked_for_and_no_message_is_no_complaint(client: Any) -> None:
    assert _asked(client) is None


def test_a_warning_is_no_complaint(client: Any) -> None:
    assert _asked(client, WARNING) is None


def test_an_error_is_told_in_beanstalk_s_words(client: Any) -> None:
    found = _asked(client, MESSAGE, WARNING)
    assert isinstance(found, RefusedError)
    assert found.detail == f"aws:autoscaling:asg MaxSize: {MESSAGE['Message']}"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidParameterValue", "TooManyRequestsException"])
def test_who_may_not_ask_is_not_stopped(client: Any, code: str) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("validate_configuration_settings", code)
        assert preflight.complaint(client, environment(), SETTINGS, "shop-live-r1") is None


def test_credentials_that_do_not_count_are_an_error(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("validate_configuration_settings", "ExpiredToken")
        with pytest.raises(SetupError):
            preflight.complaint(client, environment(), SETTINGS, "shop-live-r1")
