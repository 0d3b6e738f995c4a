"""Small services as their authors left them: with a health path, and with nothing of curtainup's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FLASK = {
    "requirements.txt": "flask>=3\n",
    "server.py": """\
from flask import Flask

app = Flask(__name__)


@app.get("/health")
def health():
    return {"status": "fine"}
""",
}

FASTAPI = {
    "pyproject.toml": """\
[project]
name = "Book_Shop"
version = "1"
dependencies = ["fastapi>=0.110", "pydantic"]
""",
    "shop/__init__.py": "",
    "shop/main.py": """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def healthz():
    return {"status": "fine"}
""",
}

DJANGO = {
    "requirements/base.txt": "Django>=5\n",
    "backend/manage.py": """\
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings.live")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
""",
    "backend/library/__init__.py": "",
    "backend/library/settings/__init__.py": "",
    "backend/library/settings/live.py": """\
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "library.urls"
SECRET_KEY = "not one"
""",
    "backend/library/urls.py": """\
from django.http import JsonResponse
from django.urls import path

urlpatterns = [path("ping/", lambda request: JsonResponse({"status": "fine"}))]
""",
    "backend/library/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings.live")
application = get_wsgi_application()
""",
}

SERVICES: dict[str, Mapping[str, str]] = {"flask": FLASK, "fastapi": FASTAPI, "django": DJANGO}


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, by their paths in a folder, and return the folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files in a folder, but for git's own."""
    files = [file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
