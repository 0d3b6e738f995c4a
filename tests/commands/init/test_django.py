from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands.init import django
from tests.commands.init.services import DJANGO, lay_out

SETTINGS = "backend/library/settings/live.py"


def _hints(folder: Path, settings: str = "", files: tuple[str, ...] = ()) -> list[str]:
    lay_out(folder, {**DJANGO, SETTINGS: settings, **dict.fromkeys(files, "")})
    return django.hints(folder, "/ping/")


def test_allowed_hosts_are_always_worth_a_word(tmp_path: Path) -> None:
    (hint,) = _hints(tmp_path)

    assert "ALLOWED_HOSTS" in hint


@pytest.mark.parametrize("written", ["SECURE_SSL_REDIRECT = True", "SECURE_SSL_REDIRECT = not DEBUG"])
def test_a_redirect_of_the_health_path_is_foreseen(tmp_path: Path, written: str) -> None:
    assert any('SECURE_REDIRECT_EXEMPT = [r"^ping/$"]' in hint for hint in _hints(tmp_path, written))


def test_no_redirect_is_no_reason_for_a_word(tmp_path: Path) -> None:
    assert len(_hints(tmp_path, "SECURE_SSL_REDIRECT = False\n# STATIC_ROOT = 1\n")) == 1


def test_static_files_have_to_be_collected(tmp_path: Path) -> None:
    assert any("collectstatic" in hint for hint in _hints(tmp_path, "STATIC_ROOT = '/app/static'\n"))


def test_migrations_are_offered_as_a_task_but_not_for_those_of_packages(tmp_path: Path) -> None:
    theirs = ".venv/lib/python3.11/site-packages/django/contrib/auth/migrations/0001_initial.py"
    assert not any("migrate" in hint for hint in _hints(tmp_path, files=(theirs,)))

    assert any(
        "`migrate`" in hint for hint in _hints(tmp_path, files=("backend/books/migrations/0001_initial.py",))
    )
