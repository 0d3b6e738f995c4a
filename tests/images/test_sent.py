"""Contexts above, below and beside a service's folder, and what of them makes the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config.build import Build
from curtainup.engine import ejected
from curtainup.errors import SourceError
from curtainup.images import context, source
from curtainup.images.source import Source
from tests.images.repositories import Repository

SHOP = "services/shop"
TOP = Build(context="../..", dockerfile="docker/Dockerfile")


@pytest.fixture
def monorepo(repository: Repository) -> Repository:
    repository.write("docker/Dockerfile", "FROM x AS base\nFROM base AS prod\n")
    repository.write(".dockerignore", "**/*.md\nservices/*\n!services/shop\n")
    repository.write("README.md", "# All\n")
    repository.write("libs/util.py", "x = 1\n")
    repository.write("services/other/server.py", "other = 1\n")
    repository.write(f"{SHOP}/server.py", "app = 1\n")
    repository.write(f"{SHOP}/pym-config.yaml", "name: shop\n")
    repository.write(f"{SHOP}/test/test_shop.py", "")
    repository.commit()
    return repository


def read(repository: Repository, build: Build = TOP, *, dirty: bool = False) -> Source:
    return source.read(repository.folder / SHOP, allow_dirty=dirty, build=build)


def refused(repository: Repository, build: Build = TOP) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(repository, build)
    assert caught.value.fix
    return caught.value


def test_a_context_above_has_what_dockerignore_lets_through(monorepo: Repository) -> None:
    found = read(monorepo)
    assert found.files == (
        ".dockerignore",
        "app/util.py",
        "docker/Dockerfile",
        "libs/util.py",
        "server.py",
        f"{SHOP}/pym-config.yaml",
        f"{SHOP}/server.py",
        f"{SHOP}/test/test_shop.py",
    )
    assert (found.dockerfile, found.service) == ("docker/Dockerfile", SHOP)
    assert found.ignored == ("README.md", "services/other/server.py")
    assert list(found.texts) == ["docker/Dockerfile"]


def test_only_what_is_sent_is_laid_out(monorepo: Repository, tmp_path: Path) -> None:
    found = read(monorepo)
    context.export(found, tmp_path / "context", {})
    laid = {str(path.relative_to(tmp_path / "context")) for path in (tmp_path / "context").rglob("*.*")}
    assert laid == {name for name in found.files if "." in name}


def test_what_is_left_out_makes_no_other_source(monorepo: Repository) -> None:
    before = read(monorepo)
    monorepo.write("README.md", "# Others\n")
    monorepo.write("services/other/server.py", "other = 2\n")
    assert not read(monorepo).dirty, "a change that is not sent is none"
    assert read(monorepo, dirty=True).version == before.version
    monorepo.commit()
    assert read(monorepo).tree == before.tree
    monorepo.write("libs/util.py", "x = 2\n")
    monorepo.commit()
    assert read(monorepo).tree != before.tree


def test_a_change_of_the_context_is_refused_and_named_from_the_service(monorepo: Repository) -> None:
    monorepo.write("libs/util.py", "x = 2\n")
    error = refused(monorepo)
    assert error.what == "1 tracked file differs from the last commit"
    assert error.where == "../../libs/util.py"
    found = read(monorepo, dirty=True)
    assert found.dirty
    assert found.version.endswith(f"-dirty-{found.tree[:6]}")


def test_a_change_of_tests_is_refused_wherever_the_context_is(monorepo: Repository) -> None:
    monorepo.write(f"{SHOP}/test/test_shop.py", "x = 2\n")
    assert refused(monorepo, Build(context="../../libs")).where == "test/test_shop.py"


def test_attributes_count_where_something_is_sent(monorepo: Repository) -> None:
    before = read(monorepo).tree
    monorepo.write("services/other/.gitattributes", "*.py text\n")
    monorepo.commit()
    assert read(monorepo).tree == before
    monorepo.write("libs/.gitattributes", "*.py text\n")
    monorepo.commit()
    assert read(monorepo).tree != before


def test_the_file_beside_the_dockerfile_decides(monorepo: Repository) -> None:
    monorepo.write("docker/Dockerfile.dockerignore", "*\n!libs\n")
    monorepo.commit()
    assert read(monorepo).files == (
        "docker/Dockerfile",
        "docker/Dockerfile.dockerignore",
        "libs/util.py",
    )


def test_a_submodule_that_is_left_out_need_not_be_there(monorepo: Repository, tmp_path: Path) -> None:
    lib = Repository(tmp_path / "lib")
    lib.commit()
    monorepo.git("submodule", "add", "-q", str(lib.folder), "vendor/lib")
    monorepo.commit()
    clone = monorepo.clone("clone")
    with pytest.raises(SourceError, match="submodule"):
        context.export(read(clone), tmp_path / "context", {})
    monorepo.write(".dockerignore", "vendor\n")
    monorepo.commit()
    clone.git("pull", "-q")
    context.export(read(clone), tmp_path / "context", {})


def test_a_part_of_a_submodule_can_be_left_out(monorepo: Repository, tmp_path: Path) -> None:
    lib = Repository(tmp_path / "lib")
    lib.commit()
    monorepo.git("submodule", "add", "-q", str(lib.folder), "vendor/lib")
    monorepo.write(".dockerignore", "vendor/lib/app\n")
    monorepo.commit()
    before = read(monorepo)
    assert "vendor/lib/server.py" in before.files
    assert "vendor/lib/app/util.py" in before.ignored
    context.export(before, tmp_path / "context", {})
    assert not (tmp_path / "context" / "vendor/lib/app").exists()
    (monorepo.folder / "vendor/lib/app/util.py").write_text("x = 9\n")
    assert read(monorepo, dirty=True).version == before.version


def test_the_services_own_program_is_not_built(monorepo: Repository) -> None:
    monorepo.write(f"{SHOP}/{ejected.FOLDER}/{ejected.STAMP}", "curtainup: 0\ncontract: c\nprogram: p\n")
    monorepo.commit()
    assert not any(ejected.FOLDER in name for name in read(monorepo).files)


def test_a_context_below_is_that_folder(monorepo: Repository) -> None:
    monorepo.write(f"{SHOP}/image/Dockerfile", "FROM x\n")
    monorepo.commit()
    found = read(monorepo, Build(context="image"))
    assert found.files == ("Dockerfile",)
    monorepo.write(f"{SHOP}/server.py", "app = 3\n")
    monorepo.commit()
    assert read(monorepo, Build(context="image")).tree == found.tree


def test_keys_without_a_context_build_the_services_folder(monorepo: Repository) -> None:
    plain = source.read(monorepo.folder / SHOP, allow_dirty=False)
    assert read(monorepo, Build(target="prod")).files == plain.files
    assert read(monorepo, Build(target="prod")).tree == plain.tree


@pytest.mark.parametrize("outside", ["../../..", "../../../other", "../../../../../../.."])
def test_a_context_outside_the_repository_is_refused(monorepo: Repository, outside: str) -> None:
    error = refused(monorepo, Build(context=outside))
    assert error.what == "the build's context is outside the service's repository"
    assert "`../..`" in str(error.fix)


@pytest.mark.parametrize("name", ["../nowhere", "server.py", "link"])
def test_a_context_that_is_no_folder_is_refused(monorepo: Repository, name: str) -> None:
    (monorepo.folder / SHOP / "link").symlink_to("../../libs")
    assert refused(monorepo, Build(context=name)).what == "the build's context is not a folder"


def test_a_context_in_a_submodule_is_another_repository(monorepo: Repository, tmp_path: Path) -> None:
    lib = Repository(tmp_path / "lib")
    lib.commit()
    monorepo.git("submodule", "add", "-q", str(lib.folder), "vendor/lib")
    monorepo.commit()
    error = refused(monorepo, Build(context="../../vendor/lib"))
    assert error.what == "the build's context is in another repository"


def test_a_folder_that_is_reached_through_a_link_is_that_folder(monorepo: Repository, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(monorepo.folder / SHOP)
    assert source.read(link, allow_dirty=False, build=TOP).tree == read(monorepo).tree
