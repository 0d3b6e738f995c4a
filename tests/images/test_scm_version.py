from __future__ import annotations

import pytest
from packaging.version import Version

from curtainup.images import scm_version


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("200415-0819-953-b3548e", "2020.4.15.819+953.gb3548e"),
        ("261129-0005-1-000123", "2026.11.29.5+1.g000123"),
        ("200415-0819-953-b3548e-dirty-1a2b3c", "2020.4.15.819+953.gb3548e.dirty1a2b3c"),
        ("anything", "0"),
    ],
)
def test_a_version_is_one_of_python_packages(version: str, told: str) -> None:
    assert scm_version.of(version) == told
    assert told == "0" or str(Version(told)) == told, "tools write it as it is"


def test_a_later_commit_has_a_later_version() -> None:
    versions = ["200415-0819-9-ffffff", "200415-0820-8-000000", "200416-0001-8-000000", "210101-0000-1-0"]
    told = [Version(scm_version.of(one)) for one in versions]
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("requires", "names"),
    [
        ('["setuptools>=64", "setuptools_scm[toml]>=8"]', (scm_version.SETUPTOOLS,)),
        ('["hatchling", "Hatch.VCS"]', (scm_version.SETUPTOOLS,)),
        ('["poetry-core", "poetry-dynamic-versioning>=1.0"]', (scm_version.POETRY,)),
        ('["pdm-backend"]', ()),
        ('["setuptools"]', ()),
        ("7", ()),
    ],
)
def test_the_tools_of_a_project_are_known(requires: str, names: tuple[str, ...]) -> None:
    assert scm_version.wanted(f"[build-system]\nrequires = {requires}\n") == names


def test_pdm_reads_tags_if_it_is_told_to() -> None:
    project = '[build-system]\nrequires = ["pdm-backend"]\n[tool.pdm.version]\nsource = "scm"\n'
    assert scm_version.wanted(project) == (scm_version.PDM,)


@pytest.mark.parametrize("text", ["", "not toml [", "build-system = 3\n"])
def test_a_project_that_says_nothing_wants_nothing(text: str) -> None:
    assert scm_version.wanted(text) == ()


def test_a_dockerfile_declares_what_it_wants() -> None:
    text = "FROM x\nARG SETUPTOOLS_SCM_PRETEND_VERSION\n  arg PDM_BUILD_SCM_VERSION=0\n# ARG POETRY\n"
    assert scm_version.declared(text) == (scm_version.SETUPTOOLS, scm_version.PDM)
