from __future__ import annotations

from pathlib import Path

import pytest

from shop_demo import kept


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_secrets_are_made_once_and_nobody_else_reads_them() -> None:
    found = kept.values()
    assert set(found) == set(kept.NAMES)
    assert min(map(len, found.values())) >= 40
    assert kept.values() == found
    assert kept.file().stat().st_mode & 0o077 == 0


def test_what_the_shell_has_set_for_something_else_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "mine")
    assert "mine" not in kept.values().values()
    assert "mine" not in kept.file().read_text()


def test_a_file_that_lacks_one_gets_it_and_keeps_the_other() -> None:
    kept.file().parent.mkdir(parents=True)
    kept.file().write_text("POSTGRES_PASSWORD=old=one\n")
    assert kept.values()["POSTGRES_PASSWORD"] == "old=one"
    assert kept.values()["SHOP_SECRET_KEY"] == kept.values()["SHOP_SECRET_KEY"]
