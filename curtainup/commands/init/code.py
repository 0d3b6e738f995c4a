"""What a service's Python says of itself: where its application is, and which paths it answers.

Nothing is imported: the files are only parsed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curtainup.commands.init.models import App, Framework, Route

CONSTRUCTORS = {"flask": {"Flask", "APIFlask"}, "fastapi": {"FastAPI"}, "django": set[str]()}
FACTORY = re.compile(r"(create|make|build|get)_(app|application)")
USUAL = ("server", "wsgi", "asgi", "main", "app", "application", "api", "run", "__init__")
"""Names of modules that hold applications, the likeliest first."""
NOT_SERVED = {
    "test",
    "tests",
    "testaccept",
    "docs",
    "examples",
    "migrations",
    "node_modules",
    "build",
    "dist",
}
DEEPEST = 4
LARGEST = 1_000_000
"""Bytes of a file that is still read."""
HEALTH = ("ping", "health", "healthz", "livez", "readyz", "ready", "alive", "status", "_health", "api/health")
ROUTED = {"route", "get", "api_route", "add_url_rule", "add_api_route"}
DJANGO_ROUTED = {"path", "re_path", "url"}


@dataclass(frozen=True)
class Module:
    """A parsed file; its path is relative to the service's folder."""

    path: Path
    tree: ast.Module


def read(folder: Path) -> list[Module]:
    """Return the service's own modules, but for tests and what cannot be parsed."""
    found: list[Module] = []
    for directory, folders, files in os.walk(folder):
        here = Path(directory)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(one for one in folders if depth < DEEPEST and _is_own(here / one))
        python = [here / name for name in sorted(files) if name.endswith(".py")]
        found += [Module(file.relative_to(folder), tree) for file in python if (tree := _parsed(file))]
    return found


def find_app(modules: list[Module], framework: Framework) -> App | None:
    """Return the likeliest Flask or FastAPI application: a variable before a function that makes one."""
    found: list[tuple[tuple[int, int, int, str], App]] = []
    for module in modules:
        for name, factory in _apps(module.tree, CONSTRUCTORS[framework]):
            stem = module.path.stem
            likely = USUAL.index(stem) if stem in USUAL else len(USUAL)
            rank = (int(factory), len(module.path.parts), likely, module.path.as_posix())
            dotted, root = _dotted(module.path)
            found.append((rank, App(dotted, name, factory, root, asgi=framework == "fastapi")))
    return min(found, key=lambda one: one[0])[1] if found else None


def find_health(modules: list[Module], framework: Framework | None) -> Route | None:
    """Return the likeliest path that says that the service can serve, or None."""
    routes = [route for module in modules for route in _routes(module, django=framework == "django")]
    by_name = {route.path.strip("/"): route for route in reversed(routes)}
    return next((by_name[name] for name in (*HEALTH, "") if name in by_name), None)


def _is_own(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in NOT_SERVED
    return not (hidden or folder.is_symlink() or (folder / "pyvenv.cfg").exists())


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes()) if file.stat().st_size <= LARGEST else None
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _apps(tree: ast.Module, constructors: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield the names that hold or make an application, and whether they make one."""
    for node in _outside_functions(tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _makes(node.value, constructors):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((one.id, False) for one in targets if isinstance(one, ast.Name))
        if isinstance(node, ast.FunctionDef) and _is_factory(node, constructors):
            yield node.name, True


def _outside_functions(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that an import runs, those in `if`, `try` and `with` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With) and not _is_main(node):
            yield from _outside_functions(node.body)


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _makes(value: ast.expr | None, constructors: set[str]) -> bool:
    called = _called(value)
    return called in constructors or bool(FACTORY.fullmatch(called))


def _called(node: ast.AST | None) -> str:
    """Return the last name of what is called: `Flask` of `flask.Flask(…)`; empty if nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _is_factory(function: ast.FunctionDef, constructors: set[str]) -> bool:
    makes = any(_called(inner) in constructors for inner in ast.walk(function))
    return makes and bool(FACTORY.fullmatch(function.name)) and _needs_nothing(function)


def _needs_nothing(function: ast.FunctionDef) -> bool:
    arguments = function.args
    given = len(arguments.defaults)
    wanted = len(arguments.posonlyargs) + len(arguments.args)
    return wanted <= given and all(default is not None for default in arguments.kw_defaults)


def _dotted(path: Path) -> tuple[str, str]:
    """Return a file's module, and the folder that has to be on Python's path for it."""
    parts = list(path.with_suffix("").parts)
    root = "src" if parts[0] == "src" and len(parts) > 1 else "."
    parts = parts[1:] if root == "src" else parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts), root


def _routes(module: Module, *, django: bool) -> Iterator[Route]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        first, called = node.args[0], _called(node)
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        if django and called in DJANGO_ROUTED:
            yield Route("/" + first.value.lstrip("^/").rstrip("$"), module.path.as_posix())
        elif not django and called in ROUTED and first.value.startswith("/"):
            yield Route(first.value, module.path.as_posix())
