"""`hello` with its dependencies as an image, for engines that reach no package registry."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import docker

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.service import EXAMPLES

READY = "cu-luck-test/hello:1"
"""`hello` as it is: its dependencies are in it, so that no build in the other network installs any."""
READY_DOCKERFILE = f"""\
FROM {REFERENCES["base"]}
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt ./
RUN python3 -m venv /venv && pip install --no-cache-dir gunicorn -r requirements.txt
CMD exec gunicorn --threads 8 --worker-tmp-dir /dev/shm --bind 0.0.0.0:$PORT server:app
"""
DOCKERFILE = f"FROM {READY}\nCOPY . .\n"


def ready_image() -> str:
    """Build it on the machine's own engine, which reaches a package registry."""
    client = docker.from_env()
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(EXAMPLES / "hello" / "requirements.txt", context)
        (Path(context) / "Dockerfile").write_text(READY_DOCKERFILE)
        client.images.build(path=context, tag=READY)
    client.close()
    return READY
