"""What `build:` says, checked against what is there, and what of it identifies a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config.build import Build
from curtainup.errors import SourceError
from curtainup.images import how
from curtainup.images.source import Source
from curtainup.model.contract import BuildSettings

STAGES = "FROM x AS base\nFROM --platform=$BUILDPLATFORM y \\\n  as Dev\nFROM base AS prod\nFROM prod\n"


def source(folder: Path, dockerfile: str = "Dockerfile", service: str = ".", **files: str) -> Source:
    texts = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Source(
        folder,
        "f" * 40,
        "200415-0819-953-b3548e",
        "tree",
        tuple(texts),
        dirty=False,
        url="",
        texts=texts,
        dockerfile=dockerfile,
        service=service,
    )


def refused(build: Build, found: Source) -> SourceError:
    with pytest.raises(SourceError) as caught:
        how.require(build, found)
    assert "nothing was done" in str(caught.value.consequence)
    return caught.value


def test_the_stages_of_a_dockerfile() -> None:
    assert how.stages(STAGES) == ["base", "Dev", "prod", ""]


@pytest.mark.parametrize("target", [None, "base", "dev", "PROD", "3"])
def test_a_stage_that_is_there_is_built(tmp_path: Path, target: str | None) -> None:
    how.require(Build(target=target), source(tmp_path, Dockerfile=STAGES))


@pytest.mark.parametrize("target", ["live", "4"])
def test_a_stage_that_is_not_there_is_refused(tmp_path: Path, target: str) -> None:
    error = refused(Build(target=target), source(tmp_path, Dockerfile=STAGES))
    assert error.what == f"Dockerfile has no stage {target}"
    assert error.fix == "write one of its stages: base, Dev, prod"


def test_a_dockerfile_without_names_says_how_to_give_one(tmp_path: Path) -> None:
    error = refused(Build(target="prod"), source(tmp_path, Dockerfile="FROM x\n"))
    assert error.fix == "name a stage there: FROM … AS prod"


def test_a_service_without_a_dockerfile_gets_a_generated_one(tmp_path: Path) -> None:
    for build in (None, Build(), Build(secrets=("TOKEN",), cache="registry")):
        how.require(build, source(tmp_path, server_py=""))


@pytest.mark.parametrize(
    ("build", "fix"),
    [
        (Build(dockerfile="docker/Dockerfile"), "correct it"),
        (Build(target="prod"), "write `dockerfile:`"),
    ],
)
def test_a_dockerfile_that_is_not_there_is_refused(tmp_path: Path, build: Build, fix: str) -> None:
    error = refused(build, source(tmp_path, build.dockerfile or "Dockerfile", server_py=""))
    assert error.what.endswith("in the build's context")
    assert str(error.fix).startswith(fix)


def test_one_that_git_does_not_track_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.prod").write_text("FROM x\n")
    error = refused(Build(dockerfile="Dockerfile.prod"), source(tmp_path, "Dockerfile.prod", server_py=""))
    assert str(error.fix).startswith("git add Dockerfile.prod")


def test_one_beside_the_service_is_named_from_the_context(tmp_path: Path) -> None:
    found = source(tmp_path, service="services/shop", services__shop__Dockerfile="FROM x\n")
    error = refused(Build(context="../.."), found)
    assert str(error.fix).startswith("write `dockerfile: services/shop/Dockerfile`")


def test_what_every_service_has_is_not_written_down(tmp_path: Path) -> None:
    assert how.settings(None, source(tmp_path, Dockerfile="FROM x\n"), ["shop@sha256:1"]) is None
    assert how.settings(Build(), source(tmp_path, Dockerfile="FROM x\n"), ["shop@sha256:1"]) is None


def test_all_keys_reach_the_program(tmp_path: Path) -> None:
    build = Build(
        target="prod", args={"A": "1"}, secrets=("TOKEN",), platform="linux/amd64", cache="registry"
    )
    assert how.settings(build, source(tmp_path, Dockerfile=STAGES), ["shop@sha256:1"]) == BuildSettings(
        target="prod",
        platform="linux/amd64",
        args={"A": "1"},
        secrets=("TOKEN",),
        cache=("shop@sha256:1",),
    )


def test_a_cache_without_an_earlier_image_is_one_for_later(tmp_path: Path) -> None:
    found = how.settings(Build(cache="registry"), source(tmp_path, Dockerfile="FROM x\n"), [])
    assert found is not None
    assert found.cache == ()


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": "FROM x\nARG SETUPTOOLS_SCM_PRETEND_VERSION\n"},
        {"pyproject_toml": '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'},
    ],
)
def test_tools_that_read_tags_get_the_version(tmp_path: Path, files: dict[str, str]) -> None:
    found = how.settings(None, source(tmp_path, **files), [])
    assert found is not None
    assert found.args == {"SETUPTOOLS_SCM_PRETEND_VERSION": "2020.4.15.819+953.gb3548e"}
    assert how.identity(None, source(tmp_path, **files)) == "", "each commit has another version"


def test_a_version_of_the_services_own_stays(tmp_path: Path) -> None:
    text = "FROM x\nARG SETUPTOOLS_SCM_PRETEND_VERSION\n"
    build = Build(args={"SETUPTOOLS_SCM_PRETEND_VERSION": "1.0"})
    found = how.settings(build, source(tmp_path, Dockerfile=text), [])
    assert found is not None
    assert found.args == {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.0"}


def test_everything_that_makes_another_image_identifies_it(tmp_path: Path) -> None:
    found = source(tmp_path, Dockerfile=STAGES)
    others = [
        Build(target="prod"),
        Build(args={"A": "1"}),
        Build(args={"A": "2"}),
        Build(secrets=("TOKEN",)),
        Build(platform="linux/amd64"),
        Build(dockerfile="Dockerfile"),
    ]
    assert len({how.identity(one, found) for one in others}) == len(others)
    assert {how.identity(one, found) for one in (None, Build(), Build(cache="registry"))} == {""}


def test_the_order_in_the_file_makes_no_other_image(tmp_path: Path) -> None:
    found = source(tmp_path, Dockerfile=STAGES)
    one = Build(args={"A": "1", "B": "2"}, secrets=("X", "Y"))
    other = Build(args={"B": "2", "A": "1"}, secrets=("Y", "X"))
    assert how.identity(one, found) == how.identity(other, found)
