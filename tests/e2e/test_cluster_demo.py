"""`make demo-kubernetes` on a real cluster: live answers, and a second run shows an update of the same."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cluster_demo.state import SHELL
from curtainup.setup.cluster.others import registry
from tests.e2e.kube_cluster import cluster
from tests.e2e.service import EXAMPLES, environ

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

CHANGED = 'greeting="Hello!", says="again"'


class Demo:
    """A copy of examples/hello in a repository of its own, and what the demo prints of it."""

    def __init__(self, folder: Path, python: Path, cluster: Cluster) -> None:
        ignored = shutil.ignore_patterns(".venv", ".curtainup", "__pycache__", ".pytest_cache", "*-demo.yaml")
        self.folder = folder / "hello"
        shutil.copytree(EXAMPLES / "hello", self.folder, ignore=ignored)
        overlay = self.folder / "pym-config.kubernetes.yaml"
        overlay.write_text(f"{overlay.read_text()}\npython: {python}\n")
        self.environ = {**environ(folder / "home"), "KUBECONFIG": str(cluster.kubeconfig)}
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Begin")

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True)

    def show(self) -> tuple[str, str]:
        """Run the demo; what it prints on both streams."""
        command = [sys.executable, "-m", "cluster_demo", str(self.folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr

    def in_shell(self, file: str, *command: str) -> None:
        """Run curtainup in a shell that has read the demo's file."""
        line = f'. {file}; exec {sys.executable} -P -m curtainup "$@"'
        done = subprocess.run(
            ["bash", "-c", line, "-", *command, str(self.folder), "--config", "kubernetes-demo"],
            check=False,
            capture_output=True,
            text=True,
            env={**self.environ, "KUBECONFIG": ""},
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo"), service_python, cluster)
    yield made
    assert cluster.folder is not None
    made.in_shell(str(cluster.folder / "demo" / SHELL), "destroy", "--confirm", "hello-demo")
    shutil.rmtree(cluster.folder / "demo")
    registry.remove(cluster.id)


def says(url: str) -> str | None:
    """What live says beside its greeting, asked as a browser does: such names lead to this machine."""
    parts = urlsplit(url)
    assert str(parts.hostname).endswith(".localhost")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    connection.request("GET", "/", headers={"Host": parts.netloc})
    said = json.loads(connection.getresponse().read())
    connection.close()
    assert said["greeting"] == "Hello!"
    found = said.get("says")
    return None if found is None else str(found)


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
