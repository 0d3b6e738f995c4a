"""Tells from what a service's tests import whether they need more than pytest and requests."""

from __future__ import annotations

import ast
import configparser
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROVIDED = frozenset(
    {
        *("pytest", "_pytest", "pluggy", "iniconfig", "packaging"),
        *("requests", "urllib3", "certifi", "idna", "charset_normalizer"),
        "curtainup_acceptance",
    }
)
"""Top-level modules that an environment with pytest and requests has."""
SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Where pytest looks for settings, in its order (https://docs.pytest.org/en/stable/reference/customize.html)."""
CORE_OPTIONS = re.compile(
    r"-[vqsxrlhkmc].*|-p=?no:.*|--(verbose|quiet|tb|maxfail|strict.*|durations.*|showlocals|capture|color|lf|ff|nf|sw"
    r"|last-failed.*|failed-first|new-first|stepwise.*|ignore.*|deselect.*|rootdir|confcutdir|import-mode|pyargs"
    r"|keep-duplicates|doctest.*|junit.*|exitfirst|show-capture|no-header|no-summary|cache-.*|log-.*|basetemp"
    r"|override-ini|continue-on-collection-errors|full-trace|noconftest|setup-.*|runxfail|disable-warnings)(=.*)?"
)
"""Options of pytest itself that settings may hold; every other one belongs to a plugin."""


def beyond_pytest(service_dir: Path, folder: str) -> frozenset[str]:
    """Return what the tests of a folder need beyond pytest, requests and themselves.

    Args:
        service_dir: the service's source.
        folder: of the tests, relative to it; without it nothing is needed.

    Returns:
        The names of modules, of options of plugins in pytest's settings, or of files that cannot be read.

    """
    root = service_dir / folder
    if not root.is_dir():
        return frozenset()
    files = [*root.rglob("*.py"), *(one for one in [service_dir / "conftest.py"] if one.is_file())]
    own = {file.stem for file in files} | {one.name for one in root.rglob("*") if one.is_dir()} | {root.name}
    needed = {module for file in files for module in _imported(file)}
    known = PROVIDED | sys.stdlib_module_names | own
    return frozenset(needed - known) | frozenset(_plugins(service_dir))


def _imported(file: Path) -> Iterator[str]:
    """Yield the top-level modules that a file imports, and the plugins that it names."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        yield str(file)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Assign) and any(_is_plugins(target) for target in node.targets):
            named = [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
            yield from (name.partition(".")[0] for name in named if isinstance(name, str))


def _is_plugins(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "pytest_plugins"


def _plugins(service_dir: Path) -> Iterator[str]:
    """Yield the options of the service's pytest settings that a plugin has to bring."""
    settings = settings_of(service_dir)
    if settings.get("required_plugins"):
        yield "required_plugins"
    joined = re.sub(r"(^|\s)-p\s+", r"\1-p=", " ".join(option_words(settings.get("addopts", ""))))
    yield from (one for one in joined.split() if one.startswith("-") and not CORE_OPTIONS.fullmatch(one))


def option_words(options: object) -> list[str]:
    """Return the words of `addopts`; what cannot be split is one word."""
    if isinstance(options, list):
        return [str(one) for one in options]
    try:
        return shlex.split(str(options))
    except ValueError:
        return [str(options)]


def settings_of(service_dir: Path) -> dict[str, object]:
    """Return pytest's settings for a service, from the first file that has some."""
    return next(
        (found for name in SETTINGS if (found := pytest_settings(service_dir / name)) is not None), {}
    )


def pytest_settings(file: Path) -> dict[str, object] | None:
    """Return pytest's settings in a file; None where pytest would look further."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".toml":
            found = tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options")
            return dict(found) if found is not None else None
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
    except (OSError, ValueError, AttributeError, configparser.Error):
        return None
    section = "tool:pytest" if file.name == "setup.cfg" else "pytest"
    return dict(parser.items(section)) if parser.has_section(section) else None
