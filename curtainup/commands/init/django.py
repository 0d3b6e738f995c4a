"""A Django project: `manage.py` names the settings, beside which is wsgi.py, and which leave things to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curtainup.commands.init.code import Module
from curtainup.commands.init.models import App

SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']""")
DOORS = (("wsgi", False), ("asgi", True))


def find_app(folder: Path, modules: list[Module]) -> App | None:
    """Return the project's WSGI application, else its ASGI one, else None."""
    managers = [module.path for module in modules if module.path.name == "manage.py"]
    for manager in sorted(managers, key=lambda path: (len(path.parts), path.as_posix())):
        root = manager.parent
        settings = SETTINGS.search((folder / manager).read_text(encoding="utf-8", errors="replace"))
        package = settings[1].split(".")[:-1] if settings else []
        while package:
            for door, asgi in DOORS:
                if (folder / root / Path(*package) / f"{door}.py").is_file():
                    dotted = ".".join([*package, door])
                    return App(dotted, "application", factory=False, root=root.as_posix(), asgi=asgi)
            package.pop()
    return None


def hints(folder: Path, health_path: str) -> list[str]:
    """Return what a project's settings leave to its developer before it can be deployed, a sentence each.

    Args:
        folder: the service's.
        health_path: the path that is asked whether a release can serve.

    """
    settings = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in _settings(folder))
    found = ["add the hosts that the tests use to ALLOWED_HOSTS: 127.0.0.1, and those of staging and live"]
    if re.search(r"^\s*SECURE_SSL_REDIRECT\s*=(?!\s*False\b)", settings, re.MULTILINE):
        exempt = health_path.lstrip("/")
        found.append(
            f"let {health_path} answer without a redirect, as SECURE_SSL_REDIRECT sends it to https: "
            f'SECURE_REDIRECT_EXEMPT = [r"^{exempt}$"]'
        )
    if re.search(r"^\s*STATIC_ROOT\s*=", settings, re.MULTILINE):
        found.append("collect static files in the Dockerfile: RUN python manage.py collectstatic --noinput")
    if any(_own(folder, "migrations/0*.py")) or "DATABASES" in settings:
        found.append("uncomment the task `migrate` in pym-config.yaml, if a database outlives the container")
    return found


def _settings(folder: Path) -> Iterator[Path]:
    """Yield the files of the settings that the project's `manage.py` names."""
    for manager in _own(folder, "manage.py"):
        named = SETTINGS.search(manager.read_text(encoding="utf-8", errors="replace"))
        if named is not None:
            module = manager.parent.joinpath(*named[1].split("."))
            yield from (one for one in [module.with_suffix(".py")] if one.is_file())
            yield from sorted(module.glob("*.py"))
            return


def _own(folder: Path, pattern: str) -> list[Path]:
    """Return the files of the project itself that match, without those of a virtual environment in it."""
    found = folder.glob(f"**/{pattern}")
    return sorted(file for file in found if "site-packages" not in file.parts)
