"""The Dockerfile of a service that has none: its app under gunicorn, as PyMacaron packages it."""

from __future__ import annotations

from pathlib import Path

GENERATED = "Dockerfile.curtainup"
EXTRA = "Dockerfile.extra"


def name(folder: Path) -> str:
    """Return the Dockerfile to build from, relative to the context."""
    return "Dockerfile" if (folder / "Dockerfile").is_file() else GENERATED


def asks_for_base(folder: Path) -> bool:
    """Return whether the service's own Dockerfile takes the base image as `ARG CURTAINUP_BASE`."""
    file = folder / "Dockerfile"
    return file.is_file() and "ARG CURTAINUP_BASE" in file.read_text(errors="replace")


def generate(folder: Path, base: str) -> str:
    """Return a Dockerfile that serves `server:app` on `$PORT`.

    Args:
        folder: the service's source; `requirements.txt` or `pyproject.toml` names its dependencies,
            and `Dockerfile.extra` is inserted before `CMD`.
        base: an image with Python 3, `pip` and `venv`.

    """
    extra = folder / EXTRA
    parts = [
        f"FROM {base}",
        "ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8080",
        "WORKDIR /app",
        "RUN python3 -m venv /venv && useradd --system --create-home app",
        _install(folder),
        extra.read_text().strip() if extra.is_file() else "",
        "USER app",
        f"CMD {_command()}",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _install(folder: Path) -> str:
    pip = "RUN pip install --no-cache-dir --disable-pip-version-check"
    if (folder / "requirements.txt").is_file():
        return f"COPY requirements.txt ./\n{pip} gunicorn -r requirements.txt\nCOPY . ."
    if (folder / "pyproject.toml").is_file():
        return f"{pip} gunicorn\nCOPY . .\n{pip} ."
    return f"{pip} gunicorn\nCOPY . ."


def _command() -> str:
    """Run gunicorn as the container's first process; GUNICORN_CMD_ARGS changes any option of it."""
    gunicorn = (
        "exec gunicorn --worker-class gthread --workers 2 --threads 8 --worker-tmp-dir /dev/shm "
        "--access-logfile - --bind 0.0.0.0:$PORT server:app"
    )
    return f'["sh", "-c", "{gunicorn}"]'
