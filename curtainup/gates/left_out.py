"""Tells which acceptance tests a gate has left out, and which setting of the service did it.

A gate whose own smoke suite passes would otherwise prove nothing of the service.
"""

from __future__ import annotations

import ast
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from curtainup.gates.arguments import ACCEPTANCE_TESTS
from curtainup.gates.junit import Report
from curtainup.gates.needs import SETTINGS, option_words, pytest_settings
from curtainup.setup.paths import program_dir

NAMES = re.compile(r"test_.*\.py|.*_test\.py")
"""Names of files with tests."""
NOSE_NAMES = re.compile(r"test.*\.py")
NOSE_TESTS = re.compile(r"^class \w+\(.*TestCase.*\):|^class Test|^(?:async )?def test\w*\(\)", re.MULTILINE)
"""nose, which PyMacaron used, also took files without `_`; others of that name hold tools of the tests."""
SELECTING = re.compile(
    r"-[mk].*|--(ignore|ignore-glob|deselect|lf|last-failed|sw|stepwise|collect-only|co|pyargs)(=.*)?"
)
"""Options of pytest that leave tests out."""
KEYS = ("python_files", "python_classes", "python_functions", "norecursedirs", "testpaths")
"""Settings of pytest that leave tests out."""
HOOKS = ("collect_ignore", "collect_ignore_glob", "pytest_ignore_collect", "pytest_collection_modifyitems")
"""Names in a conftest.py that leave tests out."""


def why(service_dir: Path, report: Report, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return one line that says which acceptance tests did not run and why; None if all files ran a test.

    A test that skips itself has been looked at, but a suite that skips all its tests has proved nothing.
    """
    missing = [name for name in _test_files(service_dir) if not _has(report.seen, name)]
    if missing:
        return f"no test of {_listed(missing)} ran: {_blame(service_dir, environ)}"
    files = list(_test_files(service_dir))
    if files and not any(_has(report.ran, name) for name in files):
        return f"no acceptance test of the service ran: all of {_listed(files)} were skipped"
    lost = [name for name in _smoke_tests() if not any(f".{one}".endswith(f".{name}") for one in report.seen)]
    if lost:
        return f"the smoke suite did not run whole, without {_listed(lost)}: {_blame(service_dir, environ)}"
    return None


def _has(addresses: frozenset[str], file: str) -> bool:
    """Return whether one of the addresses is in a file; they begin at pytest's root, which may be above."""
    module = "." + file.removesuffix(".py").replace("/", ".") + "."
    return any(module in f".{address}." for address in addresses)


def _test_files(service_dir: Path) -> Iterator[str]:
    """Yield the files of acceptance tests, relative to the service, that hold at least one test."""
    for file in sorted((service_dir / ACCEPTANCE_TESTS).rglob("*.py")):
        named = NAMES.fullmatch(file.name) or (NOSE_NAMES.fullmatch(file.name) and _is_noses(file))
        if named and _holds_tests(file):
            yield file.relative_to(service_dir).as_posix()


def _is_noses(file: Path) -> bool:
    return bool(NOSE_TESTS.search(file.read_text(encoding="utf-8", errors="replace")))


def _holds_tests(file: Path) -> bool:
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return True
    if any(_declines(node) for node in body):
        return False
    return any(_is_test(node) or (isinstance(node, ast.ClassDef) and _is_suite(node)) for node in body)


def _is_suite(node: ast.ClassDef) -> bool:
    named = node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases)
    return named and any(_is_test(one) for one in node.body) and not any(_declines(one) for one in node.body)


def _is_test(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test"):
        return False
    return not any("fixture" in ast.unparse(one) for one in node.decorator_list)


def _declines(node: ast.stmt) -> bool:
    """Return whether a statement is `__test__ = False`: its file or class is no test."""
    return isinstance(node, ast.Assign) and ast.unparse(node) == "__test__ = False"


def _smoke_tests() -> list[str]:
    file = program_dir() / "acceptance" / "curtainup_acceptance" / "smoke" / "test_smoke.py"
    return [
        node.name
        for node in ast.parse(file.read_bytes()).body
        if isinstance(node, ast.FunctionDef) and _is_test(node)
    ]


def _blame(service_dir: Path, environ: Mapping[str, str]) -> str:
    """Return what may have left tests out, in the service's own words."""
    found = [*_in_settings(service_dir), *_in_conftests(service_dir)]
    found += [f"PYTEST_ADDOPTS has {one}" for one in _selecting(environ.get("PYTEST_ADDOPTS", ""))]
    return "; ".join(found) or "a plugin, or the file itself, leaves them out"


def _in_settings(service_dir: Path) -> Iterator[str]:
    for name in SETTINGS:
        settings = pytest_settings(service_dir / name)
        if settings is None:
            continue
        yield from (f"addopts in {name} has {one}" for one in _selecting(settings.get("addopts", "")))
        yield from (f"{name} sets {key} = {_flat(settings[key])}" for key in KEYS if key in settings)
        return


def _in_conftests(service_dir: Path) -> Iterator[str]:
    for file in [service_dir / "conftest.py", *sorted((service_dir / ACCEPTANCE_TESTS).rglob("conftest.py"))]:
        text = file.read_text(errors="replace") if file.is_file() else ""
        for name in HOOKS:
            if re.search(rf"\b{name}\b", text):
                yield f"{file.relative_to(service_dir).as_posix()} has {name}"


def _selecting(options: object) -> list[str]:
    words = option_words(options)
    found = []
    for word, after in itertools.zip_longest(words, words[1:], fillvalue=""):
        if SELECTING.fullmatch(word):
            takes_next = "=" not in word and after and not after.startswith("-")
            found.append(f"{word} {after!r}" if takes_next and word not in {"--lf", "--sw"} else word)
    return found


def _flat(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else " ".join(str(value).split())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
