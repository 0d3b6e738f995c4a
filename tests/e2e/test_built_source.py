"""What is built is the commit, though everything around it says otherwise."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.e2e.service import Service


def test_a_hook_in_a_spoiled_checkout_builds_the_commit(service: Service, tmp_path: Path) -> None:
    """The user of the image could not read files of mode 0600, so the local gate proves the modes too."""
    committed = service.git("show", "HEAD:server.py")
    service.git("update-index", "--assume-unchanged", "server.py")
    service.write("server.py", f"{committed}\n# EDITED\n")
    service.git("config", "core.fileMode", "false")
    for path in service.folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            path.chmod(0o600)
    service.git("init", "--quiet", "--bare", str(tmp_path / "other"))
    hook = {"GIT_DIR": str(tmp_path / "other"), "GIT_INDEX_FILE": "/nowhere", "GIT_PREFIX": "sub/"}
    old = os.umask(0o077)
    try:
        found = service.deploy("--until", "local", "--json", env=hook).json()
    finally:
        os.umask(old)
    head = service.git("rev-parse", "--short=6", "HEAD").strip()
    assert found["version"].endswith(f"-{head}")
    text, mode = _file(service, found["image"], "/app/server.py")
    assert (text, f"{mode:o}") == (committed, "644")


PROJECT = """\
[project]
name = "hello"
version = "1.0"
dependencies = ["flask>=3.0,<4"]
[tool.setuptools]
py-modules = []
"""


@pytest.mark.parametrize(
    ("project", "remade"),
    [
        (False, 1),
        pytest.param(
            True,
            2,
            marks=pytest.mark.matrix(reason="test_a_changed_line_installs_no_dependency_again shows it"),
        ),
    ],
    ids=["requirements", "project"],
)
def test_a_changed_line_installs_no_dependency_again(service: Service, *, project: bool, remade: int) -> None:
    """The layers below the source are those of the build before; above it, a project is installed anew."""
    if project:
        (service.folder / "requirements.txt").unlink()
        service.write("pyproject.toml", PROJECT)
    built = []
    for greeting in ("one", "two"):
        service.greet(greeting)
        image = service.deploy("--until", "build", "--json").json()["image"]
        built.append(service.host.client.images.get(image).attrs["RootFS"]["Layers"])
    one, two = built
    assert one[:-remade] == two[:-remade]
    assert not set(one[-remade:]) & set(two)


def _file(service: Service, image: str, path: str) -> tuple[str, int]:
    """The text and the mode of a file in an image."""
    container = service.host.client.containers.create(image)
    try:
        chunks, _ = container.get_archive(path)
    finally:
        container.remove()
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        [member] = archive.getmembers()
        content = archive.extractfile(member)
        assert content is not None
        return content.read().decode(), member.mode & 0o777
