"""Programs of other processors, on the real engine."""

from __future__ import annotations

import platform
import struct
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from curtainup.platforms.docker import foreign

OWN = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
LABEL = f"curtainup-test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


@pytest.mark.skipif(not OWN, reason="this machine's processor has no program here")
def test_the_program_of_this_machine_ends_well(tmp_path: Path) -> None:
    file = tmp_path / "exit"
    file.write_bytes(foreign.program(OWN))
    file.chmod(0o755)
    assert subprocess.run([str(file)], check=False).returncode == 0


@pytest.mark.parametrize(("architecture", "number"), [("amd64", 62), ("arm64", 183)])
def test_a_program_names_its_processor(architecture: str, number: int) -> None:
    content = foreign.program(architecture)
    assert content.startswith(b"\x7fELF")
    assert struct.unpack_from("<H", content, 18) == (number,)
    assert struct.unpack_from("<QQ", content, 64 + 32) == (len(content), len(content))


@pytest.mark.docker
def test_the_engine_runs_programs_of_its_own_processor(client: docker.DockerClient) -> None:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[client.info()["Architecture"]]
    before = {str(one.id) for one in client.images.list()}
    assert foreign.can_run(client, architecture, {LABEL: "1"})
    assert client.containers.list(all=True, filters={"label": LABEL}) == []
    assert not {one.id for one in client.images.list() if one.attrs["Size"] < 1000} - before


@pytest.mark.docker
def test_the_engine_does_not_run_programs_of_another_kind(
    client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands for the program is none of any processor."""
    monkeypatch.setattr(foreign, "program", lambda _: b"\x7fELF and nothing else")
    assert not foreign.can_run(client, "arm64", {LABEL: "1"})
    assert client.containers.list(all=True, filters={"label": LABEL}) == []
