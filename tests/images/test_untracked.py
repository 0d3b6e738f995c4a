from __future__ import annotations

from pathlib import Path

from curtainup.images import untracked
from tests.images.repositories import Repository


def test_what_git_does_not_track_is_named(repository: Repository) -> None:
    repository.write(".gitignore", "local.py\n")
    repository.commit()
    for name in ("local.py", "helper.py", "data/one.json", "data/two.json", "__pycache__/a.pyc", ".venv/x"):
        repository.write(name, "x")

    assert untracked.names(repository.folder) == ("data/", "helper.py")
    assert "data/, helper.py; commit them" in str(untracked.warning(repository.folder))


def test_a_long_list_is_cut(repository: Repository) -> None:
    repository.commit()
    for number in range(7):
        repository.write(f"f{number}.py", "x")
    assert "f4.py and 2 more" in str(untracked.warning(repository.folder))


def test_nothing_is_said_where_there_is_nothing_to_say(repository: Repository) -> None:
    repository.commit()
    assert untracked.warning(repository.folder) is None


def test_a_folder_that_is_no_repository_has_none(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert untracked.names(tmp_path / "none") == ()
