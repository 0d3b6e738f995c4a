"""What `.dockerignore` leaves out, as the builder itself says: curtainup has to leave out the same."""

from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pulumi_docker
import pytest
from pulumi import automation

from curtainup.engine.command import EngineCommand
from curtainup.engine.processes import Processes
from curtainup.setup import engine as engines
from curtainup.setup import paths
from tests.images.ignore_cases import CASES

pytestmark = pytest.mark.matrix(
    reason="test_a_stage_of_a_dockerfile_above_is_built_with_its_secret has the usual patterns"
)

NAME = f"cu-ignored-{uuid.uuid4().hex[:6]}"
OWN = {"Dockerfile", ".dockerignore"}


def lay_out(folder: Path, text: str, files: list[str]) -> None:
    for name in files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / ".dockerignore").write_text(text)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, docker_client: docker.DockerClient) -> Iterator[None]:
    """An image of each case, from one update."""
    folder = tmp_path_factory.mktemp("ignored")
    for number, (text, left_out, kept) in enumerate(CASES):
        lay_out(folder / str(number), text, [*left_out, *kept])

    def program() -> None:
        for number in range(len(CASES)):
            build = pulumi_docker.RemoteImageBuildArgs(context=str(folder / str(number)))
            image = f"{NAME}:{number}"
            pulumi_docker.RemoteImage(f"case-{number}", name=image, build=build, keep_locally=True)

    found = engines.locate()
    variables = {
        "PATH": os.pathsep.join([*found.path_entries, os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{tmp_path_factory.mktemp('state')}",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_HOME": str(paths.pulumi_home()),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    command = EngineCommand(found.command, found.version, Processes())
    options = automation.LocalWorkspaceOptions(env_vars=variables, pulumi_command=command)
    stack = automation.create_stack("ignored", "ignored", program, opts=options)
    stack.up(color="never")
    yield
    for number in range(len(CASES)):
        docker_client.images.remove(f"{NAME}:{number}", force=True)


def files_of(client: docker.DockerClient, image: str) -> set[str]:
    """The files in an image's layers."""
    saved = io.BytesIO(b"".join(client.api.get_image(image)))
    found: set[str] = set()
    with tarfile.open(fileobj=saved) as archive:
        for name in archive.getnames():
            layer = archive.extractfile(name) if name.endswith("layer.tar") else None
            if layer is not None:
                with tarfile.open(fileobj=layer) as files:
                    found |= {member.name for member in files.getmembers() if member.isfile()}
    return found


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_builder_leaves_out_the_same(docker_client: docker.DockerClient, number: int) -> None:
    text, _, kept = CASES[number]
    assert files_of(docker_client, f"{NAME}:{number}") - OWN == set(kept), text
