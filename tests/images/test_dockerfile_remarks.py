from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config.build import Build
from curtainup.images.dockerfile_remarks import of
from curtainup.images.source import Source


def _source(folder: Path, files: dict[str, str]) -> Source:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Source(folder, "f" * 40, "v1", "tree", tuple(files), dirty=False, url="", texts=files)


@pytest.mark.parametrize(
    "files",
    [
        {"server.py": ""},
        {"server.py": "", "Dockerfile.extra": "RUN true"},
        {"Dockerfile": "ARG CURTAINUP_BASE\nFROM $CURTAINUP_BASE\n", "docker/Dockerfile": "FROM x\n"},
        {"Dockerfile": "ARG PYTHON=3.11\nFROM python:$PYTHON\nARG PYTHON\nARG HTTP_PROXY\nARG TARGETARCH\n"},
    ],
)
def test_what_is_built_as_it_stands_gives_no_remark(tmp_path: Path, files: dict[str, str]) -> None:
    assert of(_source(tmp_path, files)) == []


@pytest.mark.parametrize(
    "name",
    ["docker/Dockerfile", "Dockerfile.prod", "build/app.dockerfile", "Containerfile", "prod.Dockerfile"],
)
def test_a_dockerfile_elsewhere_is_named_where_a_generated_one_is_built(tmp_path: Path, name: str) -> None:
    (remark,) = of(_source(tmp_path, {"server.py": "", name: "FROM x\n"}))

    assert remark.is_warning
    assert remark.text.startswith(f"{name}: not used")


def test_a_dockerfile_that_git_does_not_track_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")

    (remark,) = of(_source(tmp_path, {"server.py": ""}))

    assert remark.text.startswith("Dockerfile is not tracked by git")


@pytest.mark.parametrize(
    ("last", "is_warning"),
    [("dev", True), ("run-tests", True), ("debug", True), ("prod", False), ("latest", False), ("", False)],
)
def test_of_several_stages_the_last_is_named(tmp_path: Path, last: str, is_warning: bool) -> None:
    end = f" AS {last}" if last else ""
    text = f"FROM --platform=linux/amd64 x AS base\nFROM base{end}\n"

    (remark,) = of(_source(tmp_path, {"Dockerfile": text}))

    assert remark.is_warning is is_warning
    assert remark.text.startswith(f"the last stage of Dockerfile is built, {last or '(no name)'}, after base")


def test_an_argument_without_a_default_is_named(tmp_path: Path) -> None:
    (remark,) = of(_source(tmp_path, {"Dockerfile": "FROM x\nARG BUILD_ENV\nRUN test -n $BUILD_ENV\n"}))

    assert remark.text.startswith("ARG BUILD_ENV in Dockerfile has no default")


def test_a_worker_is_not_started_beside_a_dockerfile_of_the_services_own(tmp_path: Path) -> None:
    (remark,) = of(_source(tmp_path, {"Dockerfile": "FROM x\n"}), with_async=True)

    assert remark.text.startswith("with_async: ")


def test_a_stage_that_is_named_gives_no_remark(tmp_path: Path) -> None:
    source = _source(tmp_path, {"Dockerfile": "FROM x AS prod\nFROM prod AS dev\n"})

    assert of(source, Build(target="prod")) == []


def test_an_argument_that_has_a_value_gives_no_remark(tmp_path: Path) -> None:
    text = "FROM x\nARG BUILD_ENV\nARG SETUPTOOLS_SCM_PRETEND_VERSION\nARG A=1 B\n"

    assert of(_source(tmp_path, {"Dockerfile": text}), Build(args={"BUILD_ENV": "x", "B": "y"})) == []


def test_an_argument_that_nobody_asks_for_is_named(tmp_path: Path) -> None:
    (remark,) = of(_source(tmp_path, {"Dockerfile": "FROM x\nARG FLAVOUR=1\n"}), Build(args={"FLAVOR": "x"}))

    assert remark.text == "build.args gives FLAVOR, and Dockerfile has no ARG FLAVOR, so it has no effect"
