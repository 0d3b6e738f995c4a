from __future__ import annotations

import io
import os
import shutil
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from docker.models.containers import Container

from curtainup.errors import SetupError
from curtainup.setup import docker_engine
from curtainup.setup.base_images import bootstrap, building, catalogue, images
from curtainup.setup.process import Report
from tests.setup.conftest import Script, silent

pytestmark = pytest.mark.docker

NAME = f"cu-setup-test-{uuid.uuid4().hex[:8]}"
BASE, PROXY, REGISTRY = catalogue.RECIPES


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """Return a client of the engine, which has all images, as set-up has run."""
    client = docker_engine.connect(os.environ)
    images.ensure(client, silent)
    yield client
    for image in client.images.list():
        for tag in image.tags:
            if NAME in tag:
                client.images.remove(tag, force=True)
    client.close()


@pytest.fixture(scope="module")
def publisher(client: docker.DockerClient) -> Iterator[str]:
    """Return the address of a registry which publishes our own images under the public names."""
    container = client.containers.create(
        catalogue.REFERENCES["registry"], name=f"{NAME}-publisher", ports={"5000/tcp": ("127.0.0.1", 0)}
    )
    try:
        container.start()
        address = _address(container)
        _wait_for(f"http://{address}/v2/")
        for recipe in (BASE, REGISTRY):
            assert recipe.public is not None
            name = f"{address}/{NAME}/{recipe.public}"
            client.images.get(recipe.reference).tag(name)
            client.images.push(name)
            client.images.remove(name)
        yield f"{address}/{NAME}"
    finally:
        container.remove(force=True, v=True)


def _address(container: Container) -> str:
    """Return where the one published port of a container is reached."""
    container.reload()
    [[binding]] = [bindings for bindings in container.ports.values() if bindings]
    return f"127.0.0.1:{binding['HostPort']}"


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _trial(recipe: catalogue.Recipe) -> catalogue.Recipe:
    """Return a recipe whose image is of this test alone."""
    return replace(recipe, role=f"{NAME}-{recipe.role}")


def _make(client: docker.DockerClient, recipe: catalogue.Recipe, report: Report = silent) -> None:
    images._make(client, recipe, report)


def _run(client: docker.DockerClient, image: str, *command: str) -> str:
    said: bytes = client.containers.run(image, list(command[1:]), entrypoint=command[0], remove=True)
    return said.decode().strip()


def test_what_is_there_is_not_made_again(client: docker.DockerClient) -> None:
    assert images.missing(client) == ()
    images.ensure(client, pytest.fail)


@pytest.mark.parametrize("recipe", catalogue.RECIPES, ids=lambda recipe: recipe.role)
def test_an_image_says_its_role(client: docker.DockerClient, recipe: catalogue.Recipe) -> None:
    assert client.images.get(recipe.reference).labels[images.ROLE_LABEL] == recipe.role


def test_python_in_the_base_image_installs_packages(client: docker.DockerClient) -> None:
    assert (
        _run(client, BASE.reference, "python", "-c", "import sys; print(sys.version_info >= (3, 11))")
        == "True"
    )
    assert "pip" in _run(client, BASE.reference, "pip", "--version")
    assert _run(client, BASE.reference, "python3", "-m", "venv", "/tmp/environment") == ""


def test_the_base_image_trusts_what_this_machine_trusts(client: docker.DockerClient) -> None:
    count = "grep -c BEGIN $PIP_CERT; ls /usr/local/share/ca-certificates | wc -l"
    bundle, extra = map(int, _run(client, BASE.reference, "sh", "-c", count).splitlines())
    assert bundle > extra


def test_the_proxy_image_has_what_moves_traffic(client: docker.DockerClient) -> None:
    assert "HAProxy version 2.6" in _run(client, PROXY.reference, "haproxy", "-v")
    assert (
        _run(client, PROXY.reference, "sh", "-c", "which socat && test -w /run/haproxy") == "/usr/bin/socat"
    )


def test_the_proxy_serves_the_file_it_is_given(client: docker.DockerClient) -> None:
    configuration = (
        b"global\n stats socket /run/haproxy/admin.sock mode 600 level admin\n"
        b"defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
        b"frontend f\n bind :8000\n http-request return status 200 content-type text/plain string up\n"
    )
    container = client.containers.create(
        PROXY.reference, name=f"{NAME}-proxy", ports={"8000/tcp": ("127.0.0.1", 0)}
    )
    try:
        container.put_archive("/etc/curtainup", _archive("haproxy.cfg", configuration))
        container.start()
        _wait_for(f"http://{_address(container)}/")
        asked = container.exec_run(["sh", "-c", "echo show info | socat /run/haproxy/admin.sock stdio"])
        assert b"Version: 2.6" in asked.output
        container.stop(timeout=120)
        assert container.wait()["StatusCode"] == 0
    finally:
        container.remove(force=True)


def _archive(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def test_the_public_image_is_pulled_where_a_registry_is_reached(
    client: docker.DockerClient, publisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(images.PUBLISHER_VARIABLE, publisher)
    told: list[str] = []
    recipe = _trial(BASE)
    _make(client, recipe, told.append)
    assert told == [f"making the {recipe.role} image", f"pulling {publisher}/{BASE.public}"]
    assert "pip" in _run(client, recipe.reference, "pip", "--version")


def test_a_pulled_registry_serves_as_the_built_one_does(
    client: docker.DockerClient, publisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(images.PUBLISHER_VARIABLE, publisher)
    recipe = _trial(REGISTRY)
    _make(client, recipe)
    container = client.containers.create(
        recipe.reference, name=f"{NAME}-pulled", ports={"5000/tcp": ("127.0.0.1", 0)}
    )
    try:
        container.start()
        _wait_for(f"http://{_address(container)}/v2/")
    finally:
        container.remove(force=True, v=True)


def test_a_registry_that_is_not_reached_leaves_it_to_debian(
    client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(images.PUBLISHER_VARIABLE, "127.0.0.1:9")
    told: list[str] = []
    recipe = _trial(REGISTRY)
    _make(client, recipe, told.append)
    assert told[1] == "127.0.0.1:9/registry:2 cannot be pulled: building from Debian packages instead"
    assert client.images.get(recipe.reference)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mmdebstrap") is None,
    reason="needs root and mmdebstrap, as set-up does",
)
@pytest.mark.matrix(
    reason="test_python_in_the_base_image_installs_packages shows it of the one that set-up made"
)
def test_debian_becomes_an_image_in_which_pip_works(
    client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(images.PUBLISHER_VARIABLE, "127.0.0.1:9")
    monkeypatch.setattr(images, "DEBIAN", f"{NAME}/debian")
    recipe = _trial(BASE)
    _make(client, recipe)
    assert client.images.get(f"{NAME}/debian:{BASE.version}")
    writes = "import sysconfig, pathlib; print(list(pathlib.Path('/usr/lib').rglob('EXTERNALLY-MANAGED')))"
    assert _run(client, recipe.reference, "python", "-c", writes) == "[]"


@pytest.mark.usefixtures("alone_on_path")
def test_without_mmdebstrap_and_root_the_fix_is_said(
    client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="mmdebstrap is missing") as caught:
        bootstrap.debian_image(client, f"{NAME}/never:1", silent)
    assert caught.value.fix is not None
    assert "sudo apt-get install mmdebstrap" in caught.value.fix


@pytest.mark.usefixtures("alone_on_path")
def test_a_bootstrap_that_fails_leaves_no_image(client: docker.DockerClient, script: Script) -> None:
    script("bin/mmdebstrap", "echo E: no mirror; exit 1")
    with pytest.raises(SetupError, match="bootstrapping Debian failed") as caught:
        bootstrap.debian_image(client, f"{NAME}/never:1", silent)
    assert caught.value.detail == "E: no mirror"
    with pytest.raises(ImageNotFound):
        client.images.get(f"{NAME}/never:1")


@pytest.mark.usefixtures("alone_on_path")
def test_a_missing_mmdebstrap_is_installed_by_root(client: docker.DockerClient, script: Script) -> None:
    script("bin/apt-cache", "exit 0")
    script("bin/apt-get", "echo E: cannot be installed; exit 100")
    with pytest.raises(SetupError, match="installing mmdebstrap failed"):
        bootstrap.debian_image(client, f"{NAME}/never:1", silent)


def test_the_machines_mirrors_are_used() -> None:
    command = bootstrap.command(Path("/tmp/out.tar"), [Path("/etc/apt/sources.list")])
    assert command[-3:] == ["bookworm", Path("/tmp/out.tar"), Path("/etc/apt/sources.list")]
    assert bootstrap.command(Path("/tmp/out.tar"), [])[-1] == Path("/tmp/out.tar")


def test_a_build_that_fails_says_what_the_build_said(client: docker.DockerClient) -> None:
    with pytest.raises(SetupError, match="could not be built") as caught:
        building.build(
            client,
            b"ARG SOURCE\nFROM ${SOURCE}\nRUN echo the last words && exit 7\n",
            {},
            tag=f"{NAME}/never:2",
            source=BASE.reference,
            labels={},
        )
    assert caught.value.detail is not None
    assert "the last words" in caught.value.detail
    assert "returned a non-zero code: 7" in caught.value.detail


def test_a_password_of_pip_is_withheld_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://user:secret@pypi.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    told: list[str] = []
    files = images._machine(told.append)
    assert "index-url holds a password" in told[0]
    assert b"secret" not in b"".join(files.values())
