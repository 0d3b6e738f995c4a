"""A demo on a real cluster: a copy of one of the examples, and what the demo prints of it."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

from curtainup.setup.cluster.models import Cluster
from tests.e2e.service import EXAMPLES, environ


class Demo:
    """A demo of one of the examples.

    Args:
        folder: for the copy, and for what a deployer has at home.
        example: which one.
        python: for the service's tests.
        cluster: where it goes.
        command: what shows it; its last argument is the service's folder.

    """

    def __init__(
        self, folder: Path, example: str, python: Path, cluster: Cluster, command: tuple[str, ...]
    ) -> None:
        ignored = shutil.ignore_patterns(".venv", ".curtainup", "__pycache__", ".pytest_cache", "*-demo.yaml")
        self.folder = folder / example
        self._command = command
        shutil.copytree(EXAMPLES / example, self.folder, ignore=ignored)
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
        command = [sys.executable, "-m", *self._command, str(self.folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr

    def in_shell(self, file: str, *command: str) -> str:
        """Run curtainup in a shell that has read the demo's file; what it prints as data."""
        line = f'. {file}; exec {sys.executable} -P -m curtainup "$@"'
        done = subprocess.run(
            ["bash", "-c", line, "-", *command, str(self.folder), "--config", "kubernetes-demo"],
            check=False,
            capture_output=True,
            text=True,
            env={**self.environ, "KUBECONFIG": ""},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass(frozen=True)
class Answer:
    """What a browser on this machine is answered."""

    status: int
    headers: HTTPMessage
    text: str

    def json(self) -> dict[str, object]:
        found = json.loads(self.text)
        assert isinstance(found, dict)
        return found


def asked(url: str, path: str = "/", body: object = None) -> Answer:
    """Ask as a browser does, to which such names lead to this machine."""
    parts = urlsplit(url)
    assert str(parts.hostname).endswith(".localhost")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
    connection.request(method, path, data, {"Host": parts.netloc})
    answer = connection.getresponse()
    found = Answer(answer.status, answer.headers, answer.read().decode())
    connection.close()
    return found
