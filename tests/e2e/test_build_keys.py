"""A service of a monorepo: its context is above it, and `build:` says how its image is built."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curtainup.images import scm_version
from tests.e2e import traces
from tests.e2e.monorepo import Monorepo
from tests.e2e.service import Service

TOKEN = "pypi-s3cret/t0ken+of the build"
MATRIX = pytest.mark.matrix(
    reason="test_a_stage_of_a_dockerfile_above_is_built_with_its_secret shows the way that all of them go"
)
PROJECT = """\
[build-system]
requires = ["setuptools>=64", "setuptools_scm>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "hello"
dynamic = ["version"]
dependencies = ["flask>=3.0,<4"]
[tool.setuptools]
py-modules = []
[tool.setuptools_scm]
"""
SETUP = """\
import hashlib, os, pathlib, setuptools
pathlib.Path("/token-hash").write_text(hashlib.sha256(os.environ["PIP_TOKEN"].encode()).hexdigest())
setuptools.setup()
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Monorepo]:
    one = Monorepo(tmp_path_factory.mktemp("e2e"), service_python)
    temporary = one.home / "tmp"
    temporary.mkdir()
    one.environ |= {"PIP_TOKEN": TOKEN, "TMPDIR": str(temporary)}
    yield one
    one.remove()


def ran(shop: Monorepo, command: str) -> str:
    """What a command prints in the image of live."""
    image = shop.status("live")["releases"][0]["image"]
    return str(shop.host.client.containers.run(image, ["sh", "-c", command], remove=True).decode().strip())


def test_a_stage_of_a_dockerfile_above_is_built_with_its_secret(shop: Monorepo) -> None:
    """The secret is in no layer, history, argument, log or state, though the Dockerfile prints it."""
    wanted = traces.forms(TOKEN)
    with traces.in_arguments(wanted) as arguments:
        done = shop.deploy()
    assert "services/shop" in shop.git("ls-files", "--full-name", "server.py")
    assert shop.get("live", "/").json()["greeting"]

    assert ran(shop, "cat /token-hash").split()[0] == hashlib.sha256(TOKEN.encode()).hexdigest()
    flavour, version = ran(shop, "cat /flavour").split()
    assert (flavour, version[:2]) == ("vanilla", "20")
    assert ran(shop, "ls -a /app /libs/greetings; test ! -e /docs && echo no manual").endswith("no manual")
    assert not traces.holds((done.out + done.err).encode(), wanted), "the command has shown it"
    assert traces.in_files(shop, wanted) == []
    assert traces.in_images(shop, wanted) == []
    assert arguments == set()


@MATRIX
def test_an_unchanged_service_builds_nothing_and_what_is_left_out_is_no_change(shop: Monorepo) -> None:
    assert "unchanged" in shop.deploy().err
    shop.top_write("services/other/server.py", "other = 2\n")
    assert "unchanged" in shop.deploy().err
    shop.commit("Change another service")
    assert "unchanged" in shop.deploy().err
    shop.top_write("libs/greetings/__init__.py", 'SAYS = "otherwise"\n')
    assert "../../libs/greetings/__init__.py" in shop.deploy(code=6).err
    shop.git("checkout", "--quiet", "--", "../../libs")


@MATRIX
def test_by_hand_nothing_changes_without_the_secret(shop: Monorepo) -> None:
    for stack in ("image", "live"):
        arguments = ("preview", "--stack", f"{shop.name}-{stack}", "--expect-no-changes")
        shop.run("pulumi", *arguments, env={"PIP_TOKEN": None})


@MATRIX
def test_a_secret_that_is_not_set_ends_a_deployment_and_no_rollback(shop: Monorepo) -> None:
    without: dict[str, str | None] = {"PIP_TOKEN": None}
    done = shop.run("deploy", code=4, env=without)
    assert "build.secrets in pym-config.yaml" in done.err
    shop.run("rollback", code=19, env=without)


@MATRIX
def test_what_is_not_there_is_refused_before_anything_is_built(shop: Monorepo) -> None:
    build = shop.config["build"]
    for changed, told in (
        ({"target": "live"}, "docker/Dockerfile has no stage live"),
        ({"dockerfile": "Dockerfile"}, "there is no Dockerfile in the build's context"),
        ({"context": "../../.."}, "outside the service's repository"),
    ):
        shop.configure(build={**build, **changed})
        assert told in shop.deploy(code=6).err
    shop.configure(build={**build, "args": {"FLAVOUR": f"https://x:{TOKEN}@y"}})
    done = shop.deploy(code=3)
    assert "FLAVOUR that of PIP_TOKEN" in done.err
    assert TOKEN not in done.err
    shop.git("reset", "--quiet", "--hard", "HEAD~4")
    shop.config["build"] = build


@MATRIX
def test_the_generated_dockerfile_gives_pip_the_secret_and_the_version(
    new_service: Callable[[], Service],
) -> None:
    """A project under setuptools-scm builds without git, in the same layers below its source each time."""
    service = new_service()
    service.environ |= {"PIP_TOKEN": TOKEN}
    (service.folder / "requirements.txt").unlink()
    service.write("pyproject.toml", PROJECT)
    service.write("setup.py", SETUP)
    service.configure(build={"secrets": ["PIP_TOKEN"]})
    layers = []
    for greeting in ("one", "two"):
        service.greet(greeting)
        found = service.deploy("--until", "build", "--json").json()
        image = service.host.client.images.get(found["image"])
        layers.append(image.attrs["RootFS"]["Layers"])
        ask = "from importlib.metadata import version; print(version('hello'))"
        told = service.host.client.containers.run(image, ["python", "-c", ask], remove=True)
        assert told.decode().strip() == scm_version.of(found["version"])
        told = service.host.client.containers.run(image, ["cat", "/token-hash"], remove=True)
        assert told.decode() == hashlib.sha256(TOKEN.encode()).hexdigest()
    assert layers[0][:-2] == layers[1][:-2]
    assert traces.in_images(service, traces.forms(TOKEN)) == []
