"""A repository with several small services, deployed to this machine's Docker host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.docker_host import DockerHost
from tests.e2e.service import Finished, environ

PATIENCE = 900.0
SERVER = """\
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = self.path in ("/", "/ping")
        body = json.dumps({"says": "first" if known else "no such path"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
DOCKERFILE = f'FROM {REFERENCES["base"]}\nCOPY server.py .\nUSER 10001\nCMD ["python3", "-S", "server.py"]\n'
SMALL = {"memory_limit": "64m", "unit_tests": []}


class Monorepo:
    """A repository whose folder `services` has small services."""

    def __init__(self, folder: Path, services: Mapping[str, Mapping[str, Any]]) -> None:
        """Make it.

        Args:
            folder: where.
            services: more keys of each service's configuration, by its name, which is its folder's too.

        """
        self.folder = folder / "repository"
        self.names = list(services)
        self.hosts = [DockerHost(name) for name in services]
        self.environ = environ(folder / "home")
        (self.folder / "services").mkdir(parents=True)
        self.git("init", "--quiet")
        for name, more in services.items():
            self.write(f"services/{name}/server.py", SERVER)
            self.write(f"services/{name}/Dockerfile", DOCKERFILE)
            self.configure(name, **more)
        self.write("services/README.md", "All services.\n")
        self.write("services/notes/README.md", "No service.\n")
        self.commit("Begin")

    def write(self, path: str, text: str) -> None:
        """Write a file, without committing it."""
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def configure(self, name: str, **more: Any) -> None:
        """Write the configuration of a service."""
        self.write(f"services/{name}/pym-config.yaml", yaml.safe_dump({"name": name, **SMALL, **more}))

    def say(self, name: str, text: str) -> None:
        """Make a service say something else, and commit it."""
        self.write(f"services/{name}/server.py", SERVER.replace("first", text))
        self.commit(f"Let {name} say {text}")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `curtainup deploy services/* ARGUMENTS` as a shell would, in a session of its own."""
        folders = sorted(str(one.relative_to(self.folder)) for one in (self.folder / "services").iterdir())
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "curtainup", "deploy", *folders, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def deploy(self, *arguments: str, code: int = 0) -> Finished:
        """Deploy `services/*`, and check the exit code."""
        return self.finished(self.start(*arguments), code)

    def finished(self, running: subprocess.Popen[str], code: int) -> Finished:
        """Wait for a command to end, and check its exit code."""
        out, err = running.communicate(timeout=PATIENCE)
        assert running.returncode == code, f"{running.returncode}\n{out}\n{err}"
        return Finished(running.returncode, out, err)

    def run(self, *arguments: str) -> Finished:
        """Run `curtainup ARGUMENTS` at the top of the repository."""
        command = [sys.executable, "-P", "-m", "curtainup", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return Finished(done.returncode, done.stdout, done.stderr)

    def remove(self) -> None:
        """Destroy everything."""
        try:
            for name in self.names:
                self.run("destroy", f"services/{name}", "--confirm", name)
        finally:
            for host in self.hosts:
                host.remove_everything()
