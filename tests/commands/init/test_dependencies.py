from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands.init import dependencies
from curtainup.errors import SourceError
from tests.commands.init.services import lay_out


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements.txt", "# web\n-r other.txt\nFast_API[standard]>=0.1 ; python_version > '3'\n"),
        ("requirements-live.txt", "fast.api\n"),
        ("requirements/base.txt", "\ufefffast-api==1 # pinned\n"),
        ("pyproject.toml", '[project]\ndependencies = ["fast-api ~= 1"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nfast-api = {version = "^1"}\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n    fast-api>=1\n    requests\n"),
    ],
)
def test_a_package_is_found_by_the_file_that_names_it(tmp_path: Path, file: str, text: str) -> None:
    found = dependencies.read(lay_out(tmp_path, {file: text}))
    assert found.names["fast-api"] == file


def test_words_in_comments_and_options_are_no_packages(tmp_path: Path) -> None:
    found = dependencies.read(lay_out(tmp_path, {"requirements.txt": "# flask\n-r flask\n--pre\nrequests\n"}))
    assert set(found.names) == {"requests"}


@pytest.mark.parametrize(
    ("files", "install", "requirements"),
    [
        ({"requirements.txt": "", "requirements-dev.txt": ""}, "requirements", "requirements.txt"),
        ({"requirements/base.txt": "", "requirements/dev.txt": ""}, "requirements", "requirements/base.txt"),
        ({"pyproject.toml": "[build-system]\nrequires = []\n[project]\nname = 'x'\n"}, "project", None),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, "dependencies", None),
        ({"pyproject.toml": "[build-system]\n[tool.poetry.dependencies]\nflask = '*'\n"}, "project", None),
        ({"pyproject.toml": "[tool.poetry.dependencies]\nflask = '*'\n"}, "poetry", None),
        (
            {
                "pyproject.toml": "[build-system]\n[tool.poetry]\npackage-mode = false\n"
                "[project]\ndependencies = ['flask']\n"
            },
            "dependencies",
            None,
        ),
        ({"setup.cfg": "[metadata]\nname = x\n"}, "project", None),
        ({"pyproject.toml": "[tool.ruff]\n"}, "nothing", None),
        ({}, "nothing", None),
    ],
)
def test_the_way_into_an_image(
    tmp_path: Path, files: dict[str, str], install: str, requirements: str | None
) -> None:
    found = dependencies.read(lay_out(tmp_path, files))
    assert (found.install, found.requirements) == (install, requirements)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "[project]\nname = 'shop'\n"),
        ("pyproject.toml", "[tool.poetry]\nname = 'shop'\n"),
        ("setup.cfg", "[metadata]\nname = shop\n"),
    ],
)
def test_the_name_of_the_project(tmp_path: Path, file: str, text: str) -> None:
    assert dependencies.read(lay_out(tmp_path, {file: text})).name == "shop"


@pytest.mark.parametrize(
    ("more", "discovered"),
    [
        ("", True),
        ("[tool.setuptools]\npackages = ['shop']\n", False),
        ("[tool.setuptools.packages.find]\nwhere = ['.']\n", False),
        ("[tool.setuptools]\npy-modules = ['server']\n", False),
    ],
)
def test_whether_setuptools_looks_for_packages_itself(tmp_path: Path, more: str, discovered: bool) -> None:
    text = f"[build-system]\nrequires = ['setuptools']\n[project]\nname = 'x'\n{more}"
    found = dependencies.read(lay_out(tmp_path, {"pyproject.toml": text}))
    assert found.discovered is discovered


@pytest.mark.parametrize("file", ["pyproject.toml", "setup.cfg"])
def test_a_broken_file_is_named(tmp_path: Path, file: str) -> None:
    with pytest.raises(SourceError, match=file) as caught:
        dependencies.read(lay_out(tmp_path, {file: "[project\nname"}))
    assert caught.value.where == str(tmp_path / file)
    assert caught.value.detail


@pytest.mark.parametrize("written", ["5", '"flask"', "{flask = 1}"])
def test_what_is_no_list_of_dependencies_names_none(tmp_path: Path, written: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[project]\nname = 'shop'\ndependencies = {written}\n")
    assert not dependencies.read(tmp_path).names
