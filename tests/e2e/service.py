"""A service of the tests' own: a git repository with one of the examples, and curtainup to run on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from curtainup.engine.state import FileState
from curtainup.environments.stack import parse
from curtainup.model.run import RunRecord
from curtainup.pipeline.run import past_records
from curtainup.setup import paths
from tests.commands.init.services import lay_out
from tests.e2e.docker_host import DockerHost

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = ".curtainup"
PATIENCE = 300.0
"""Seconds for one command: far beyond what any takes, so that a hanging one is seen for what it is."""
NOT_OURS = ("CI", "PULUMI_", "PYM_", "CURTAINUP_", "XDG_DATA_HOME", "DOCKER_HOST", "VERSION", "PORT")
"""Variables of the surrounding job that would change what is tested, by their beginnings."""
TOLD_TO_FAIL = '''\
"""Fails at the gate that FAIL_AT names: `unit`, `local`, `staging`, `candidate` or `live`."""

import os


def gate():
    if "CURTAINUP_ENVIRONMENT" not in os.environ:
        return "unit"
    name = os.environ["CURTAINUP_ENVIRONMENT"]
    through_proxy = "CURTAINUP_EXPECT_RELEASE_HEADER" in os.environ
    return name if name != "live" or through_proxy else "candidate"


def test_passes_unless_told_otherwise():
    assert gate() != os.environ.get("FAIL_AT")
'''


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, which must be JSON and nothing else."""
        return json.loads(self.out)


class Service:
    """A service's repository and its deployments.

    State, passphrase, locks and the engine's own folder are this service's alone; what takes long to
    make (engine, plugins, images) is shared. Tests that need a gate to fail say so with
    `fail_at`, which reaches the suites as a variable: the source stays the same.
    """

    def __init__(self, folder: Path, example: str, python: Path | None, *, name: str | None = None) -> None:
        self.folder = folder / "service"
        self.name = name or f"{example[:5]}-{uuid.uuid4().hex[:6]}"
        self.home = folder / "home"
        self.host = DockerHost(self.name)
        self.environ = environ(self.home)
        shutil.copytree(EXAMPLES / example, self.folder, ignore=_untracked)
        self.config = yaml.safe_load((self.folder / "pym-config.yaml").read_text())
        if python is not None:
            self.config["python"] = str(python)
            for tests in ("test", "testaccept"):
                self.write(f"{tests}/test_told_{tests}.py", TOLD_TO_FAIL)
        self.git("init", "--quiet")
        self.configure(name=self.name)

    # The repository

    def write(self, path: str, text: str) -> None:
        """Write a file, without committing it."""
        (self.folder / path).write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace one text in a file and commit it."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{old!r} is not once in {path}"
        self.write(path, text.replace(old, new))
        self.commit(f"Edit {path}")

    def greet(self, greeting: str) -> None:
        """Make `hello` answer with another greeting: a new version by a changed line."""
        self.write("greeting.txt", greeting)
        source = (self.folder / "server.py").read_text()
        head, _, tail = source.partition("def greet():\n")
        rest = tail.partition("\n")[2]
        line = (
            f'    return jsonify(greeting="Hello!", says="{greeting}", environment=os.environ.get("PYM_ENV"))'
        )
        self.write("server.py", f"{head}def greet():\n{line}\n{rest}")
        self.commit(f"Say {greeting}")

    def configure(self, **keys: Any) -> None:
        """Set top-level keys of pym-config.yaml (None takes one out) and commit it."""
        self.config = {key: value for key, value in {**self.config, **keys}.items() if value is not None}
        self.write("pym-config.yaml", yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))
        self.commit("Configure")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    # The command line

    def run(
        self,
        *arguments: str,
        code: int = 0,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
    ) -> Finished:
        """Run `curtainup ARGUMENTS` in the service's folder and check its exit code.

        Args:
            arguments: of the command line.
            code: the exit code that it must end with.
            env: variables on top of the service's own; None takes one away.
            cwd: another folder to run in.

        """
        done = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.place(),
            env=self.variables(env),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        assert finished.code == code, (
            f"curtainup {' '.join(arguments)}: exit code {finished.code}, not {code}\n"
            f"--- stdout\n{finished.out}\n--- stderr\n{finished.err}"
        )
        return finished

    def place(self) -> Path:
        """The folder to run a command in."""
        return self.folder

    def command(self, *arguments: str) -> list[str]:
        """The command line as a list; `-P` keeps the service's modules out of ours."""
        return [sys.executable, "-P", "-m", "curtainup", *arguments]

    def variables(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """All variables of a command."""
        return {name: value for name, value in {**self.environ, **(env or {})}.items() if value is not None}

    def deploy(
        self, *arguments: str, code: int = 0, fail_at: str | None = None, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Deploy; `fail_at` names the gate at which a test of the service is to fail."""
        return self.run("deploy", *arguments, code=code, env={**(env or {}), "FAIL_AT": fail_at})

    # What came of it

    def status(self, environment: str) -> dict[str, Any]:
        """The environment as `status --json` says it."""
        [found] = self.run("status", "--json").json()
        assert found["service"] == self.name
        return next(one for one in found["environments"] if one["name"] == environment)

    def traffic(self, environment: str) -> dict[str, int]:
        """Per cent by release id, oldest release first: what `status` says, without a command."""
        stack = f"{self.name}-{environment}"
        found = parse(stack, self.state.read(stack)).deployment
        return {one.id: found.traffic.get(one.id, 0) for one in found.releases}

    def traffic_told(self, environment: str) -> dict[str, int]:
        """The same by the command, which knows more kinds of states and targets."""
        return {one["id"]: one["traffic"] for one in self.status(environment)["releases"]}

    def url(self, environment: str) -> str:
        """Where users reach an environment, as the stack's output says, without a command."""
        return str(self.state.read(f"{self.name}-{environment}").outputs["url"])

    def get(self, environment: str, path: str = "/") -> requests.Response:
        with session() as direct:
            return direct.get(f"{self.url(environment)}{path}", timeout=60)

    def serving(self, environment: str) -> str:
        """The id of the release that answers, as the proxy names it."""
        answer = self.get(environment, self.config.get("health_path", "/ping"))
        assert answer.status_code == 200
        return answer.headers["Curtainup-Release"]

    def wait_until_serving(self) -> None:
        """Wait until live answers again after its engine was away."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.serving("live")
            except (requests.RequestException, AssertionError):
                assert time.monotonic() < deadline, "live has not come back"
                time.sleep(0.02)
            else:
                return

    def last_run(self) -> RunRecord:
        """The record of the latest run."""
        record = past_records.latest(self.own_folder)
        assert record is not None
        return record

    def last_run_folder(self) -> Path:
        return past_records.runs(self.own_folder)[-1]

    def proved(self) -> list[str]:
        """The gates that the latest run has passed; its record also holds proofs of earlier ones."""
        return [proof.gate for proof in self.last_run().proofs if proof.run == self.last_run_folder().name]

    @property
    def own_folder(self) -> Path:
        """Where curtainup keeps its runs and settings files in the repository."""
        return self.folder / FOLDER

    @property
    def state(self) -> FileState:
        return FileState(self.state_folder)

    @property
    def state_folder(self) -> Path:
        return self.home / "data" / "curtainup" / "state"

    def updates(self) -> list[str]:
        """The entries of all stacks' histories: each operation that changed state added one."""
        return sorted(str(file) for file in self.state_folder.rglob("history/**/*.history.json"))

    # The end

    def remove(self) -> None:
        """Destroy what is deployed; whatever is left is removed by force, and is an error."""
        try:
            if self.state.stacks() or self.host.everything():
                self.run("destroy", "--confirm", self.name)
            left = self.host.everything()
        finally:
            self.host.remove_everything()
        assert not left, f"destroy has left {left}"


class FromSource(Service):
    """A service of which there is only the source."""

    def __init__(self, folder: Path, framework: str, source: Mapping[str, str]) -> None:
        self.folder = lay_out(folder / "service", source)
        self.name = f"{framework}-{uuid.uuid4().hex[:6]}"
        self.home = folder / "home"
        self.host = DockerHost(self.name)
        self.environ = environ(self.home)
        self.git("init", "--quiet")
        self.commit("As it was")

    def initialise(self) -> dict[str, Any]:
        """Have `init` write what is missing, and commit it."""
        done = self.run("init", "--name", self.name, "--ci", "github", "--json").json()
        self.commit("Add what curtainup needs")
        self.config = yaml.safe_load((self.folder / "pym-config.yaml").read_text())
        assert isinstance(done, dict)
        return done


def session() -> requests.Session:
    """A session that asks the Docker host itself, whatever proxy the machine is told to use."""
    direct = requests.Session()
    direct.trust_env = False
    return direct


def environ(home: Path) -> dict[str, str]:
    """The variables of a deployer with nothing but this service."""
    pulumi = home / "pulumi"
    pulumi.mkdir(parents=True)
    (pulumi / "plugins").symlink_to(paths.pulumi_home() / "plugins")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return {
        **inherited,
        "XDG_DATA_HOME": str(home / "data"),
        "PULUMI_HOME": str(pulumi),
        "HELLO_SECRET": "open sesame",
    }


def _untracked(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {".venv", FOLDER, "__pycache__", ".pytest_cache"}]
