"""`.dockerignore` as Docker reads it; tests/e2e/test_dockerignore.py asks the builder itself."""

from __future__ import annotations

import pytest

from curtainup.images import ignored
from tests.images.ignore_cases import CASES


@pytest.mark.parametrize(("text", "left_out", "kept"), CASES)
def test_what_is_left_out(text: str, left_out: list[str], kept: list[str]) -> None:
    ignores = ignored.rules(text)
    assert [name for name in (*left_out, *kept) if ignores(name)] == left_out


def test_the_file_beside_the_dockerfile_comes_first() -> None:
    assert ignored.names("docker/Dockerfile") == ("docker/Dockerfile.dockerignore", ".dockerignore")


@pytest.mark.parametrize("text", ["[", "a[", "\\", "!"])
def test_a_line_that_docker_refuses_leaves_nothing_out(text: str) -> None:
    """The builder says what is wrong with it."""
    assert not ignored.rules(f"{text}\n")("a")
