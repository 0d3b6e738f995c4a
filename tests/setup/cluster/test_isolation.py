from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.setup import paths
from curtainup.setup.cluster import isolation
from curtainup.setup.cluster.place import Place, clusters


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(isolation, "VAR", tmp_path / "var")
    monkeypatch.setattr(paths, "program_dir", lambda: tmp_path / "opt" / "curtainup")
    return tmp_path / "var" / "lib" / "curtainup"


def test_what_is_not_below_var_is_found_anyway(tmp_path: Path) -> None:
    assert isolation.hidden(Place(tmp_path / "home" / "clusters" / "1")) == []


def test_a_cache_below_var_is_kept_whole(tmp_path: Path) -> None:
    cache = tmp_path / "var" / "cache" / "curtainup"
    assert isolation.hidden(Place(cache / "clusters" / "1")) == [cache]


def test_so_is_the_program(tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "program_dir", lambda: program)
    assert isolation.hidden(Place(tmp_path / "home" / "clusters" / "1")) == [program]


def test_a_cache_behind_a_link_is_known_by_where_it_really_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "var" / "cache"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "link"))
    assert isolation.hidden(Place(clusters() / "1")) == [real / "curtainup"]
