"""A repository with a service below its top, and a library beside it that the service's image needs."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.service import Service

DOCKERFILE = """\
ARG CURTAINUP_BASE
FROM $CURTAINUP_BASE AS base
WORKDIR /app
COPY services/shop/requirements.txt ./
RUN --mount=type=secret,id=PIP_TOKEN,required=true \\
    python3 -m venv /venv && echo "got $(cat /run/secrets/PIP_TOKEN)" \\
    && sha256sum </run/secrets/PIP_TOKEN >/token-hash \\
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check gunicorn -r requirements.txt
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8080
COPY services/shop ./
COPY libs/greetings /libs/greetings
FROM base AS prod
ARG FLAVOUR
ARG SETUPTOOLS_SCM_PRETEND_VERSION
RUN echo "$FLAVOUR $SETUPTOOLS_SCM_PRETEND_VERSION" >/flavour && useradd --uid 10001 app
ENV PYTHONPATH=/libs
USER 10001
CMD ["sh", "-c", "exec gunicorn --bind 0.0.0.0:$PORT server:app"]
FROM base AS dev
RUN false
"""
IGNORED = "docs\n**/*.md\nservices/*\n!services/shop\n**/test\n**/testaccept\n"
BUILD = {
    "context": "../..",
    "dockerfile": "docker/Dockerfile",
    "target": "prod",
    "args": {"FLAVOUR": "vanilla"},
    "secrets": ["PIP_TOKEN"],
    "platform": "linux/amd64",
}


class Monorepo(Service):
    """`hello` at `services/shop`, built from the repository's top by `docker/Dockerfile`.

    Attributes:
        top: of the repository.

    """

    def __init__(self, folder: Path, python: Path) -> None:
        self.top = folder / "repository"
        super().__init__(self.top / "services", "hello", python)
        (self.folder / ".git").rename(self.top / ".git")
        self.folder = self.folder.rename(self.folder.with_name("shop"))
        self.top_write(".gitignore", "/services/home/\n")
        self.top_write("docker/Dockerfile", DOCKERFILE)
        self.top_write(".dockerignore", IGNORED)
        self.top_write("libs/greetings/__init__.py", 'SAYS = "from the library"\n')
        self.top_write("services/other/server.py", "other = 1\n")
        self.top_write("docs/manual.md", "# Manual\n")
        self.configure(build=BUILD)

    def top_write(self, path: str, text: str) -> None:
        """Write a file, by its path from the repository's top."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
