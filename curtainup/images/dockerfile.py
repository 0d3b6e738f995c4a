"""The Dockerfile of a service that has none: its app under gunicorn, as PyMacaron packages it."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Sequence

from curtainup.images import background
from curtainup.images.source import EXTRA, PROJECT, Source

GENERATED = "Dockerfile.curtainup"
_COPY = "COPY --chown=app . ."
USER = 10001
"""The id of the user `app`. A number, as Kubernetes cannot tell whether a name stands for root."""
_GUNICORN = (
    "exec gunicorn --worker-class gthread --workers 2 --threads 8 --worker-tmp-dir /dev/shm "
    "--access-logfile - --bind 0.0.0.0:$PORT server:app"
)
"""The service's own command; GUNICORN_CMD_ARGS can change every option."""
_SUDO = "RUN printf '#!/bin/sh\\nexec \"$@\"\\n' > /usr/local/bin/sudo && chmod 755 /usr/local/bin/sudo"
"""PyMacaron's images had sudo, and its manual uses it in Dockerfile.extra; the build runs as root anyway."""
_DOWNLOADS = "/root/.cache/pip"
_NAMED = re.compile(r"[A-Za-z0-9]")


def name(source: Source) -> str:
    """Return the path of the Dockerfile in the context; a file that git does not track does not count."""
    return source.dockerfile if source.dockerfile in source.files else GENERATED


def asks_for_base(source: Source) -> bool:
    """Return whether the service's own Dockerfile takes the base image as `ARG CURTAINUP_BASE`."""
    return "ARG CURTAINUP_BASE" in source.texts.get(source.dockerfile, "")


def generate(
    source: Source,
    base: str,
    *,
    with_async: bool = False,
    downloads: str = "",
    secrets: Sequence[str] = (),
    versions: Sequence[str] = (),
) -> str:
    """Return a Dockerfile that serves `server:app` on `$PORT`.

    As in PyMacaron's images, the service may write beside its code, `/pym/VERSION` holds the version, and
    `Dockerfile.extra` finds the environment at `/pym/virtenv`.

    Args:
        source: the service's source; `requirements.txt` or `pyproject.toml` names its dependencies. The text
            of `Dockerfile.extra` goes before `CMD`.
        base: an image with Python 3, `pip` and `venv`.
        with_async: whether redis and a Celery worker run beside the service.
        downloads: the name under which BuildKit keeps what pip needs to build a project, beside the image.
            Each service has its own, because whoever writes there decides what the next build installs. Empty
            to keep nothing.
        secrets: of the build, which pip finds in its environment under their names.
        versions: arguments by which the project's packaging tool knows its version.

    """
    extra = source.texts.get(EXTRA, "").strip()
    parts = [
        f"FROM {base}",
        "ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8080",
        "WORKDIR /app",
        f"RUN python3 -m venv /venv && useradd --uid {USER} --create-home app \\",
        "    && mkdir /pym && ln -s /venv /pym/virtenv && chown app /app /pym",
        background.install(_GUNICORN) if with_async else "",
        _install(source, downloads, _Pip(secrets), versions),
        _SUDO if "sudo" in extra else "",
        extra,
        f"USER {USER}",
        f"CMD {_command(background.COMMAND if with_async else _GUNICORN)}",
    ]
    return "\n".join(part for part in parts if part) + "\n"


class _Pip:
    """Lines that install packages, with the secrets of the build in pip's environment alone."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._mounts = [f"--mount=type=secret,id={name},required=true" for name in secrets]
        self._values = [f'{name}="$(cat /run/secrets/{name})"' for name in secrets]

    def line(self, arguments: str, kept: str = "") -> str:
        """Return a line; `kept` is the name under which pip's downloads are kept, if they are."""
        mount = [f"--mount=type=cache,id={kept},target={_DOWNLOADS}"] if kept else []
        cache = f"--cache-dir {_DOWNLOADS}" if kept else "--no-cache-dir"
        pip = f"pip install {cache} --disable-pip-version-check {arguments}"
        return " ".join(["RUN", *mount, *self._mounts, *self._values, pip])


def _install(source: Source, downloads: str, pip: _Pip, versions: Sequence[str]) -> str:
    """Return the lines that install what the service depends on, before its source wherever that is possible.

    A layer that is made before the source is copied stays as it is when a line of the service changes, and
    services with the same dependencies share it.
    """
    if "requirements.txt" in source.files:
        return f"COPY requirements.txt ./\n{pip.line('gunicorn -r requirements.txt')}\n{_COPY}"
    if PROJECT not in source.files:
        return f"{pip.line('gunicorn')}\n{_COPY}"
    needed = " ".join(shlex.quote(one) for one in ("gunicorn", *_dependencies(source.texts.get(PROJECT, ""))))
    arguments = [f"ARG {name}" for name in versions]
    return "\n".join([pip.line(needed), _COPY, *arguments, pip.line(".", downloads)])


def _dependencies(text: str) -> Sequence[str]:
    """Return what a project depends on, if pip can install it without the project; else nothing."""
    try:
        found = tomllib.loads(text).get("project", {}).get("dependencies", [])
    except (tomllib.TOMLDecodeError, AttributeError, RecursionError):
        return ()
    is_plain = isinstance(found, list) and all(isinstance(one, str) and _is_named(one) for one in found)
    return found if is_plain else ()


def _is_named(requirement: str) -> bool:
    """Return whether a requirement is one line with a name first, and no file of this machine."""
    return (
        bool(_NAMED.match(requirement)) and requirement.isprintable() and "file:" not in requirement.lower()
    )


def _command(last: str) -> str:
    """Return a `CMD` that writes the version where PyMacaron looks for it, and ends in its last command."""
    version = 'printf %s "${VERSION:-local}" 2>/dev/null >/pym/VERSION'
    return json.dumps(["sh", "-c", f"{version}; {last}"])
