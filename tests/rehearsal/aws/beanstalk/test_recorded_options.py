"""The options that curtainup writes, and the stand-in, before the shape that Beanstalk itself described."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from curtainup.model.targets import beanstalk_options
from curtainup.model.targets.beanstalk import Network
from curtainup.rehearsal.aws.beanstalk.options import Account, Option, problem
from tests.components.beanstalk.samples import CERTIFICATE, SETTINGS, environment

RECORDED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "recorded_options.yaml").read_text(encoding="utf-8")
)
SHAPES = {(namespace, name): one for namespace, of in RECORDED.items() for name, one in of.items()}
ACCOUNT = Account("eu-west-1", frozenset({"aws-eb"}), lambda _: True, lambda _: True)
NETWORK = Network(vpc="vpc-1", machines=("subnet-a",), balancer=("subnet-b", "subnet-c"))
YOUNGER = {
    "aws:autoscaling:launchconfiguration/DisableIMDSv1",
    "aws:ec2:instances/InstanceTypes",
}
"""Options of the general list that the recording does not know yet."""
LATER = (
    "aws:elbv2:",
    "aws:elasticbeanstalk:environment:process:",
    "aws:elasticbeanstalk:application:environment",
)
"""How namespaces begin of an application load balancer, and of the variables, which have no shape."""


def written() -> dict[tuple[str, str], str]:
    """Return every option that curtainup ever writes, with roles."""
    settings = SETTINGS.model_copy(update={"keypair": "aws-eb", "network": NETWORK})
    found = beanstalk_options.options(environment(cert_arn=CERTIFICATE), "v1", settings)
    return {
        **found,
        ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"): "machines",
        ("aws:elasticbeanstalk:environment", "ServiceRole"): "arn:aws:iam::123456789012:role/curtainup/x",
    }


def fits(shape: dict[str, Any], value: str) -> bool:
    if shape["type"] == "Boolean":
        return value in {"true", "false"}
    if "options" in shape:
        return value in [*shape["options"], *shape.get("since", ())]
    if "min" in shape:
        return value.isdecimal() and bool(shape["min"] <= int(value) <= shape["max"])
    return bool(len(value) <= shape.get("length", 4096))


def test_each_option_that_curtainup_writes_is_one_that_beanstalk_described_or_is_younger() -> None:
    unknown = {
        f"{namespace}/{name}"
        for namespace, name in written()
        if (namespace, name) not in SHAPES and not namespace.startswith(LATER)
    }
    assert unknown == YOUNGER


@pytest.mark.parametrize("option", [one for one in written() if one in SHAPES], ids="/".join)
def test_its_value_fits_the_shape(option: tuple[str, str]) -> None:
    assert fits(SHAPES[option], written()[option])


@pytest.mark.parametrize("option", SHAPES, ids="/".join)
def test_the_stand_in_takes_what_beanstalk_takes(option: tuple[str, str]) -> None:
    shape = SHAPES[option]
    taken = [*shape.get("options", ()), *(str(shape[end]) for end in ("min", "max") if end in shape)]
    taken += ["true", "false"] if shape["type"] == "Boolean" else []
    taken += [shape["default"]] if "default" in shape else []
    assert [value for value in taken if problem([Option(*option, value)], ACCOUNT)] == []


@pytest.mark.parametrize("option", SHAPES, ids="/".join)
def test_the_stand_in_refuses_what_beanstalk_refuses(option: tuple[str, str]) -> None:
    shape = SHAPES[option]
    refused = ["some"] if "options" in shape or "min" in shape or shape["type"] == "Boolean" else []
    refused += [str(shape["min"] - 1), str(shape["max"] + 1)] if "min" in shape else []
    assert [value for value in refused if not problem([Option(*option, value)], ACCOUNT)] == []
