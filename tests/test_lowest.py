"""The lowest versions that `make test-lowest` installs are those that pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
CLOUDS = ("aws", "gcp")


def _floors() -> dict[str, str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [one for extra in (*CLOUDS, "dev") for one in project["optional-dependencies"][extra]]
    found = (re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?>=([\d.]+)", one) for one in asked)
    return {one[1]: one[2] for one in found if one}


def _pinned() -> dict[str, str]:
    lines = (REPOSITORY / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def _padded(version: str) -> str:
    parts = version.split(".")
    return ".".join([*parts, *["0"] * (3 - len(parts))])


def test_each_sdk_of_a_cloud_is_pinned_to_its_floor() -> None:
    floors, pinned = _floors(), _pinned()
    wanted = {name: _padded(floors[name]) for name in pinned if name != "botocore"}
    assert {name: pinned[name] for name in wanted} == wanted


def test_none_of_them_is_left_out() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        re.split(r"[\[><=]", one)[0] for cloud in CLOUDS for one in project["optional-dependencies"][cloud]
    }
    assert named <= set(_pinned())


def test_boto3_and_botocore_go_together() -> None:
    assert _pinned()["boto3"] == _pinned()["botocore"]
