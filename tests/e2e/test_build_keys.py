"""A service of a monorepo: its context is above it, and `build:` says how its image is built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import traces
from tests.e2e.monorepo import Monorepo

TOKEN = "pypi-s3cret/t0ken+of the build"
MATRIX = pytest.mark.matrix(
    reason="test_a_stage_of_a_dockerfile_above_is_built_with_its_secret shows the way that all of them go"
)


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
