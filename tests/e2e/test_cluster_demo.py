"""`make demo-kubernetes` on a real cluster: live answers, and a second run shows an update of the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_demo.state import SHELL
from curtainup.setup.cluster.others import registry
from tests.e2e.cluster_demos import Demo, asked
from tests.e2e.kube_cluster import cluster

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

CHANGED = 'greeting="Hello!", says="again"'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo"), "hello", service_python, cluster, ("cluster_demo",))
    yield made
    assert cluster.folder is not None
    made.in_shell(str(cluster.folder / "demo" / SHELL), "destroy", "--confirm", "hello-demo")
    shutil.rmtree(cluster.folder / "demo")
    registry.remove(cluster.id)


def says(url: str) -> object:
    """What live says beside its greeting."""
    said = asked(url).json()
    assert said["greeting"] == "Hello!"
    return said.get("says")


def test_it_goes_live_and_a_second_run_shows_an_update(demo: Demo) -> None:
    url, _ = demo.show()
    assert says(url) is None
    source = demo.folder / "server.py"
    source.write_text(source.read_text().replace('greeting="Hello!"', CHANGED))
    again, said = demo.show()
    assert again == url
    assert says(url) == "again"
    file = said.partition("to work on it: . ")[2].splitlines()[0]
    demo.in_shell(file, "rollback")
    assert says(url) is None
