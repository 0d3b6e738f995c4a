"""What a preview needs: a commit to preview; whatever is missing is said, and nothing is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_plan and test_preview_post show previews, test_refusals what a dirty tree comes to"
)

NO_SOURCE = 6
REFUSED = 23


@pytest.fixture
def source(service: Service) -> Iterator[Service]:
    """A service that was never deployed; what a test does to its repository is undone in git."""
    good = service.git("rev-parse", "HEAD").strip()
    yield service
    service.git("checkout", "--quiet", "-B", "main", good)
    service.git("reset", "--quiet", "--hard", good)
    assert service.updates() == [], "something was touched"
    assert service.host.containers() == []


def test_a_folder_without_a_repository(source: Service, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(source.folder, bare, ignore=shutil.ignore_patterns(".git", ".curtainup"))
    done = source.run("preview", code=NO_SOURCE, cwd=bare)
    assert "the service is not in a git repository" in done.err
    assert "git init" in done.err


def test_a_repository_without_a_commit(source: Service, tmp_path: Path) -> None:
    young = tmp_path / "young"
    shutil.copytree(source.folder, young, ignore=shutil.ignore_patterns(".git", ".curtainup"))
    source.git("init", "--quiet", str(young))
    assert "no commit yet" in source.run("preview", code=NO_SOURCE, cwd=young).err


def test_a_machine_without_git(source: Service, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = source.run("preview", code=NO_SOURCE, env={"PATH": str(tmp_path / "bin")})
    assert "git is not installed" in done.err


def test_a_dirty_tree_is_previewed_only_when_that_is_asked_for(source: Service, tmp_path: Path) -> None:
    source.write("greeting.txt", "committed")
    source.commit("A greeting")
    source.write("greeting.txt", "and changed")
    plan = tmp_path / "plan.json"

    assert "1 tracked file differs" in source.run("preview", "--save", str(plan), code=NO_SOURCE).err
    assert not plan.exists()
    shown = source.run("preview", "--dirty", "--save", str(plan), code=2)

    assert "-dirty-" in shown.out
    source.git("checkout", "--quiet", "greeting.txt")
    done = source.deploy("--plan", str(plan), code=REFUSED)
    assert "the plan is for another source tree" in done.err


def test_a_detached_head_is_a_commit_like_any(source: Service) -> None:
    source.git("checkout", "--quiet", "--detach")
    commit = source.git("rev-parse", "--short=12", "HEAD").strip()
    assert f"built from {commit}" in source.run("preview", code=2).out


def test_a_plan_that_cannot_be_written_is_said(source: Service, tmp_path: Path) -> None:
    done = source.run("preview", "--save", str(tmp_path / "absent" / "plan.json"), code=REFUSED)
    assert "the plan could not be written" in done.err
