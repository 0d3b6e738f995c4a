from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.setup import paths, versions

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v3.255.0", (3, 255, 0)), ("go version go1.26.8 linux/amd64", (1, 26, 8)), ("dev", ()), ("", ())],
)
def test_the_first_version_in_a_text_is_its_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert versions.parse(text) == expected


@pytest.mark.parametrize(
    ("version", "enough"), [("3.255.0", True), ("3.1000.1", True), ("3.99.0", False), ("unknown", False)]
)
def test_versions_are_compared_by_their_numbers(version: str, enough: bool) -> None:
    assert versions.at_least(version, "3.255.0") is enough


def test_the_engine_that_is_built_says_the_version_of_its_module() -> None:
    modules = (paths.offline_sources() / "cli" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{versions.ENGINE} " in modules


def test_the_docker_provider_that_is_built_is_the_one_the_constraints_want() -> None:
    assert f"pulumi_docker=={versions.DOCKER_PROVIDER}\n" in (ROOT / "constraints.txt").read_text()


def test_an_engine_that_is_brought_is_new_enough() -> None:
    assert versions.at_least(versions.ENGINE, versions.ENGINE_MINIMUM)
