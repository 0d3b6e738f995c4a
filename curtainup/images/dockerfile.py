"""The Dockerfile of a service that has none: its app under gunicorn, as PyMacaron packages it."""

from __future__ import annotations

from collections.abc import Collection

from curtainup.images.source import Source

OWN = "Dockerfile"
GENERATED = "Dockerfile.curtainup"
EXTRA = "Dockerfile.extra"


def name(source: Source) -> str:
    """Return the path of the Dockerfile in the context; a file that git does not track does not count."""
    return OWN if OWN in source.files else GENERATED


def asks_for_base(source: Source) -> bool:
    """Return whether the service's own Dockerfile takes the base image as `ARG CURTAINUP_BASE`."""
    return OWN in source.files and "ARG CURTAINUP_BASE" in _text(source, OWN)


def generate(source: Source, base: str) -> str:
    """Return a Dockerfile that serves `server:app` on `$PORT`.

    Args:
        source: the service's source; `requirements.txt` or `pyproject.toml` names its dependencies. The text
            of `Dockerfile.extra` goes before `CMD`.
        base: an image with Python 3, `pip` and `venv`.

    """
    parts = [
        f"FROM {base}",
        "ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8080",
        "WORKDIR /app",
        "RUN python3 -m venv /venv && useradd --system --create-home app",
        _install(source.files),
        _text(source, EXTRA).strip() if EXTRA in source.files else "",
        "USER app",
        f"CMD {_command()}",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _text(source: Source, file: str) -> str:
    return source.texts.get(file, "")


def _install(files: Collection[str]) -> str:
    pip = "RUN pip install --no-cache-dir --disable-pip-version-check"
    if "requirements.txt" in files:
        return f"COPY requirements.txt ./\n{pip} gunicorn -r requirements.txt\nCOPY . ."
    if "pyproject.toml" in files:
        return f"{pip} gunicorn\nCOPY . .\n{pip} ."
    return f"{pip} gunicorn\nCOPY . ."


def _command() -> str:
    """Run gunicorn as the container's first process; GUNICORN_CMD_ARGS can change every option."""
    gunicorn = (
        "exec gunicorn --worker-class gthread --workers 2 --threads 8 --worker-tmp-dir /dev/shm "
        "--access-logfile - --bind 0.0.0.0:$PORT server:app"
    )
    return f'["sh", "-c", "{gunicorn}"]'
