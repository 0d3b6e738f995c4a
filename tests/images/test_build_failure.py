"""Why a build failed, out of what the builders really write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curtainup.images.build_failure import Built, Reason, reason

FILES = ("requirements.txt", "server.py", "static/app.js")
BUILDKIT = 'failed to compute cache key: failed to calculate checksum of ref a::b: "/{0}": not found'
OLDER_BUILDKIT = 'failed to solve: failed to compute cache key: "/{0}" not found: not found'
CLASSIC = (
    "COPY failed: file not found in build context or excluded by .dockerignore: stat {0}: file does not exist"
)


def found(output: str, dockerfile: str | None = "FROM x\n", *, ignores: bool = False) -> Reason | None:
    return reason(output, Built(FILES, ignores, dockerfile))


@pytest.mark.parametrize("words", [BUILDKIT, OLDER_BUILDKIT, CLASSIC])
@pytest.mark.parametrize("name", ["requirements.txt", "static"])
def test_a_tracked_file_that_is_not_there_is_ignored(words: str, name: str) -> None:
    why = found(words.format(name), ignores=True)
    assert why is not None
    assert why.why.startswith(f".dockerignore leaves out {name}")
    assert f"`!{name}`" in why.fix


@pytest.mark.parametrize("words", [BUILDKIT, OLDER_BUILDKIT, CLASSIC])
@pytest.mark.parametrize("ignores", [True, False])
def test_a_file_that_git_does_not_track_is_named(words: str, ignores: bool) -> None:
    why = found(words.format("dist"), ignores=ignores)
    assert why is not None
    assert why.why == "the Dockerfile copies dist, which git does not track"


def test_a_dockerfile_that_is_ignored_is_named() -> None:
    why = found("failed to read dockerfile: open Dockerfile: no such file", ignores=True)
    assert why is not None
    assert ".dockerignore" in why.why


def test_a_secret_that_no_build_gets_is_named() -> None:
    text = "FROM x\nRUN --mount=type=secret,id=pip_token cat /run/secrets/pip_token\n"
    for output in ("cat: /run/secrets/pip_token: No such file", "secret pip_token: not found"):
        why = found(output, text)
        assert why is not None
        assert "secret pip_token" in why.why


@pytest.mark.parametrize(
    ("dockerfile", "output"),
    [
        ("ARG TAG\nFROM python:$TAG", 'failed to parse stage name "python:": invalid reference format'),
        ("ARG TAG\nFROM $TAG", "base name ($TAG) should not be blank"),
        ("FROM x\nARG TAG\nRUN sh -uc 'echo $TAG'", "sh: 1: TAG: parameter not set"),
        ("FROM x\nARG TAG\nRUN bash -uc 'echo $TAG'", "bash: line 1: TAG: unbound variable"),
    ],
)  # fmt: skip
def test_a_build_argument_without_a_value_is_named(dockerfile: str, output: str) -> None:
    why = found(output, dockerfile)
    assert why is not None
    assert "build argument TAG" in why.why


def test_builders_are_named() -> None:
    assert "BuildKit" in str(found("the --mount option requires BuildKit. Refer to https://x"))
    assert "BUILDX_BUILDER" in str(found('no builder "nosuch" found'))


@pytest.mark.parametrize("output", ["", "pip: No matching distribution found for flask==99", "exit code: 1"])
def test_what_the_output_says_best_is_left_to_it(output: str) -> None:
    assert found(output, "ARG CURTAINUP_BASE\nFROM ${CURTAINUP_BASE}\n", ignores=True) is None


def test_what_the_build_got_is_not_what_it_lacks() -> None:
    mounts = "FROM x\nRUN --mount=type=secret,id=pip_token cat /run/secrets/pip_token\n"
    built = Built(FILES, False, mounts, args=("TAG",), secrets=("pip_token",))
    assert reason("cat: /run/secrets/pip_token: Permission denied", built) is None
    assert reason("sh: 1: TAG: parameter not set", replace(built, dockerfile="FROM x\nARG TAG\n")) is None
