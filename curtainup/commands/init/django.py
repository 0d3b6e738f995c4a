"""Where a Django project's application is: `manage.py` names the settings, and beside them is wsgi.py."""

from __future__ import annotations

import re
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
