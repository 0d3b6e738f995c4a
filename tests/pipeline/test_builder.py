"""The Docker engine that builds, beside the one that environments run on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound

from curtainup.errors import SetupError
from curtainup.pipeline import builder
from curtainup.platforms.docker import foreign
from curtainup.session import Session
from tests.sessions import world

BY_DIGEST = f"registry.example.com/team/shop@sha256:{'d' * 64}"


class Images:
    """An engine's images, and those of a registry."""

    def __init__(self, there: set[str], registry: set[str]) -> None:
        self.there, self._registry = there, registry

    def get(self, image: str) -> str:
        if image not in self.there:
            raise ImageNotFound("no such image")
        return image

    def pull(self, repository: str, tag: str, auth_config: object) -> None:
        assert auth_config is None
        if f"{repository}@{tag}" not in self._registry:
            raise APIError("manifest unknown")
        self.there.add(f"{repository}@{tag}")


def session(
    folder: Path,
    here: str = "x86_64",
    there: str = "x86_64",
    images: Images | None = None,
    text: str = "docker_host: ssh://shop\nbuild_on: local\n",
) -> Session:
    """A session that builds on this machine for another one, whose engines say what their processors are."""
    found = world(folder, text).session
    for engine, processors in ((found.accounts.builder, here), (found.accounts.engine, there)):
        told: dict[str, Any] = {"Architecture": processors}
        engine.__dict__["client"] = SimpleNamespace(info=lambda told=told: told, images=images)
    return found


@pytest.mark.parametrize(("here", "there"), [("x86_64", "x86_64"), ("aarch64", "arm64")])
def test_this_machine_builds_for_one_of_its_kind(tmp_path: Path, here: str, there: str) -> None:
    builder.require_fit(session(tmp_path, here, there))


def test_an_image_that_would_not_start_there_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        builder.require_fit(session(tmp_path, "aarch64", "x86_64"))
    assert "arm64" in caught.value.what
    assert "amd64" in caught.value.what
    assert "build_on: host" in str(caught.value.fix)


def test_without_an_engine_here_the_fix_names_both_ways(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    found = world(tmp_path, "docker_host: ssh://shop\nbuild_on: local\n", environ=environ).session
    with pytest.raises(SetupError) as caught:
        builder.require_fit(found)
    assert str(caught.value.where).startswith(environ["DOCKER_HOST"])
    assert "start that engine" in str(caught.value.fix)
    assert "build_on: host" in str(caught.value.fix)


@pytest.mark.parametrize("text", ["build_on: local\n", "docker_host: ssh://shop\n", ""])
def test_the_engine_of_the_environments_builds_otherwise(tmp_path: Path, text: str) -> None:
    session = world(tmp_path, text).session
    accounts = session.accounts
    assert session.engines == (accounts.engine,)
    assert accounts.builder is accounts.engine


def test_an_image_that_another_machine_has_built_is_pulled(tmp_path: Path) -> None:
    images = Images(set(), {BY_DIGEST})
    found = session(tmp_path, images=images)
    builder.bring(found, BY_DIGEST)
    assert images.there == {BY_DIGEST}
    builder.bring(found, BY_DIGEST)


@pytest.mark.parametrize("image", [BY_DIGEST, "sha256:" + "c" * 64])
def test_an_image_that_is_nowhere_is_told(tmp_path: Path, image: str) -> None:
    with pytest.raises(SetupError, match="neither here nor in its registry"):
        builder.bring(session(tmp_path, images=Images(set(), set())), image)


FOREIGN = "build: {platform: linux/arm64}\n"
ELSEWHERE = f"docker_host: ssh://shop\nbuild_on: local\n{FOREIGN}"


@pytest.fixture
def emulates(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> bool:
    """Whether the engine runs programs of other processors."""
    runs = bool(request.param)
    monkeypatch.setattr(foreign, "can_run", lambda *_: runs)
    return runs


@pytest.mark.parametrize("emulates", [True], indirect=True)
@pytest.mark.usefixtures("emulates")
def test_an_engine_that_emulates_a_platform_builds_for_it(tmp_path: Path) -> None:
    builder.require_fit(session(tmp_path, "x86_64", text=FOREIGN))
    builder.require_fit(session(tmp_path, "x86_64", "aarch64", text=ELSEWHERE))


@pytest.mark.parametrize("emulates", [False], indirect=True)
@pytest.mark.usefixtures("emulates")
def test_a_platform_that_the_engine_cannot_run_is_refused(tmp_path: Path) -> None:
    builder.require_fit(session(tmp_path, "aarch64", "aarch64", text=ELSEWHERE))
    with pytest.raises(SetupError) as caught:
        builder.require_fit(session(tmp_path, "x86_64", "x86_64", text=FOREIGN))
    assert caught.value.what == "the Docker engine that builds cannot run linux/arm64"
    assert "--install arm64" in str(caught.value.fix)


def test_a_platform_that_the_docker_host_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        builder.require_fit(session(tmp_path, "aarch64", "x86_64", text=ELSEWHERE))
    assert str(caught.value.what).startswith("the image is for arm64")
    assert caught.value.fix == "write `platform: linux/amd64`"
