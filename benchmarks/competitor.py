"""The plain script: its service, its registry and its Pulumi project, set up before the clock starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import docker
import requests

from benchmarks import service
from benchmarks.measure import Cost, run
from curtainup.images import dockerfile, source
from curtainup.platforms.docker import placement
from curtainup.setup import engine, paths
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.setup.paths import program_dir

HERE = Path(__file__).parent
LABEL = "curtainup.benchmark"
REGISTRY_PATIENCE = 60.0


class Competitor:
    """Deploys its own copy of the service with `script.sh`.

    What it makes carries the label `curtainup.benchmark=NAME`, or an image name that begins with NAME.
    """

    def __init__(self, folder: Path, python: Path) -> None:
        self.service = service.new(folder, python)
        self.name = self.service.name
        self._project = folder / "project"
        self._docker = docker.from_env()
        self._registry = f"127.0.0.1:{placement.internal_port(f'{self.name}-registry', ())}"
        self._env = self._variables(folder, python)

    def set_up(self) -> None:
        """Do what is done once: Dockerfile, registry, project and its two stacks."""
        found = source.read(self.service.folder, allow_dirty=False)
        self.service.write("Dockerfile", dockerfile.generate(found, REFERENCES["base"]))
        self.service.write(".dockerignore", ".git\n")
        self.service.commit("Add a Dockerfile")
        self._start_registry()
        shutil.copytree(HERE / "baseline", self._project)
        ports: set[int] = set()
        for stack in ("staging", "live"):
            values = {"name": self.name, "subnet": self._subnet(stack)}
            for key in ("port", "blue-port", "green-port"):
                port = placement.internal_port(f"{self.name}-{stack}-{key}", ports)
                ports.add(port)
                values[key] = str(port)
            if stack == "live":
                values |= {"proxy-image": REFERENCES["proxy"], "active": "blue"}
            self._pulumi("stack", "init", stack)
            self._pulumi(
                "config", "set-all", *(f"--plaintext={key}={value}" for key, value in values.items())
            )
            self._pulumi("config", "set", "--secret", "hello-secret", self.service.environ["HELLO_SECRET"])

    def deploy(self) -> Cost:
        """Run the script once."""
        return run([str(HERE / "script.sh")], self.service.folder, self._env)

    def floor(self) -> Cost:
        """Run once what nobody can leave out; what it started is removed after the clock has stopped."""
        try:
            return run([str(HERE / "floor.sh")], self.service.folder, self._env)
        finally:
            for gate in ("local", "staging", "candidate"):
                self._docker.containers.get(f"{self.name}-floor-{gate}").remove(force=True)

    def remove(self) -> None:
        """Remove everything that it has made."""
        wanted: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={self.name}"}
        for container in self._docker.containers.list(all=True, filters=wanted, ignore_removed=True):
            container.remove(force=True, v=True)
        for network in self._docker.networks.list(filters=wanted):
            network.remove()
        for image in self._docker.images.list():
            for tag in image.tags:
                if self.name in tag:
                    self._docker.images.remove(tag)
        self.service.host.remove_everything()
        self._docker.close()

    def _variables(self, folder: Path, python: Path) -> dict[str, str]:
        found = engine.locate()
        home, state = folder / "script-home", folder / "script-state"
        for made in (home, state, folder / "junit"):
            made.mkdir()
        (home / "plugins").symlink_to(paths.pulumi_home() / "plugins")
        path = [*found.path_entries, self.service.environ.get("PATH", os.defpath)]
        return {
            **self.service.environ,
            "NAME": self.name,
            "REGISTRY": self._registry,
            "PYTHON": str(python),
            "ACCEPTANCE": str(program_dir() / "acceptance"),
            "PROJECT": str(self._project),
            "JUNIT": str(folder / "junit"),
            "PATH": os.pathsep.join(path),
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "benchmark",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def _pulumi(self, *arguments: str) -> None:
        command = ["pulumi", "--non-interactive", "--cwd", str(self._project), *arguments]
        program = shutil.which("pulumi", path=self._env["PATH"])
        subprocess.run([str(program), *command[1:]], env=self._env, check=True, capture_output=True)

    def _start_registry(self) -> None:
        host, _, port = self._registry.partition(":")
        self._docker.containers.run(
            REFERENCES["registry"],
            name=f"{self.name}-registry",
            detach=True,
            labels={LABEL: self.name},
            ports={"5000/tcp": (host, int(port))},
        )
        deadline = time.monotonic() + REGISTRY_PATIENCE
        with requests.Session() as session:
            session.trust_env = False
            while True:
                try:
                    return session.get(f"http://{self._registry}/v2/", timeout=2).raise_for_status()
                except requests.RequestException:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)

    def _subnet(self, stack: str) -> str:
        taken = [
            pool["Subnet"]
            for network in self._docker.networks.list()
            for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
            if "Subnet" in pool
        ]
        return placement.subnet(f"{self.name}-script-{stack}", taken)
