"""curtainup reads and writes UTF-8, whatever the locale is; what it shows follows the locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "no_SUCH.ISO-8859-1", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
]


@pytest.mark.parametrize("locale", LOCALES, ids=lambda one: "-".join(one.values()))
def test_an_error_is_shown_in_any_locale(tmp_path: Path, locale: dict[str, str]) -> None:
    folder = tmp_path / "größe ✓"
    folder.mkdir()
    (folder / "pym-config.yaml").write_text("name: Übergröße ✓\n", encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-m", "curtainup", "preview", str(folder)],
        env={**environ, **locale},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert b"itself failed" not in done.stderr
    assert b"bergr" in done.stderr
