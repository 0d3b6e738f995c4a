"""A service that is rehearsed on a stand-in cloud, in place of being deployed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from curtainup.engine import program
from curtainup.rehearsal import containers
from curtainup.rehearsal.home import LABEL, Home
from curtainup.rehearsal.stage import Rehearsal
from curtainup.setup import engine as engines
from tests.e2e.service import FOLDER, Finished, Service

CLOUD_RUN = {
    "deploy_target": "gcp-cloud-run",
    "docker_repo": "hello-project",
    "gcp_region": "europe-west1",
}
BEANSTALK = {"deploy_target": "aws-beanstalk", "aws_region": "eu-west-1"}
TOLD_TO_FAIL = '''\
"""Fails at the gate that FAIL_AT names, which is the step that the run's record began last."""

import json
import os
from pathlib import Path


def gate():
    if "CURTAINUP_ENVIRONMENT" not in os.environ:
        return "unit"
    record = max(Path(".curtainup/rehearsal").glob("*/runs/*/record.json"))
    return json.loads(record.read_text())["steps"][-1]["name"].removesuffix("-gate")


def test_passes_unless_told_otherwise():
    assert gate() != os.environ.get("FAIL_AT")
'''
OF_REHEARSALS = {"status", "logs", "preview", "promote", "rollback", "destroy", "schedule"}
"""Commands that are for the rehearsal with `--rehearsal`."""


class Rehearsed(Service):
    """A service's repository and its rehearsals.

    The rehearsal's home is this service's alone; `deploy` rehearses, and `status`, `preview`,
    `promote`, `rollback` and `destroy` are those of the rehearsal.
    """

    def __init__(self, folder: Path, python: Path, **keys: Any) -> None:
        """Make the repository.

        Args:
            folder: that is the test's own.
            python: the interpreter for the service's tests.
            keys: of pym-config.yaml, such as those of `CLOUD_RUN`.

        """
        super().__init__(folder, "hello", python)
        for tests in ("test", "testaccept"):
            self.write(f"{tests}/test_told_{tests}.py", TOLD_TO_FAIL)
        self.configure(**keys)
        self._really = False
        self.rehearsal = Home(self.home / "data" / "curtainup" / "rehearsal" / keys["deploy_target"])

    @property
    def own_folder(self) -> Path:
        return self.folder / FOLDER / "rehearsal" / str(self.config["deploy_target"])

    @property
    def state_folder(self) -> Path:
        return self.rehearsal.state

    def command(self, *arguments: str) -> list[str]:
        if arguments[0] not in OF_REHEARSALS or self._really:
            return super().command(*arguments)
        return super().command(*arguments, "--rehearsal")

    def really(self, *arguments: str, code: int = 0, env: Mapping[str, str | None] | None = None) -> Finished:
        """Run a command for real accounts and real state, which none of the tests has."""
        self._really = True
        try:
            return self.run(*arguments, code=code, env=env)
        finally:
            self._really = False

    def deploy(
        self,
        *arguments: str,
        code: int = 0,
        fail_at: str | None = None,
        env: Mapping[str, str] | None = None,
        faults: Sequence[str] = (),
    ) -> Finished:
        """Rehearse; `fail_at` names the gate at which a test of the service is to fail."""
        return self.run(
            "rehearse", *asked(faults), *arguments, code=code, env={**(env or {}), "FAIL_AT": fail_at}
        )

    def release(self) -> str:
        """Rehearse, and return the id of the release that is live then."""
        return str(self.deploy("--json").json()["release"])

    def planned_release(self) -> str:
        """Rehearse by the plan of a preview, and return the id of the release that is live then."""
        plan = self.home / "plan.json"
        self.run("preview", "--save", str(plan), code=2)
        return str(self.deploy("--json", "--plan", str(plan)).json()["release"])

    def serving(self, environment: str) -> str:
        """The id of the release that answers, as `status` says; empty when none does."""
        return str(self.status(environment)["answers"] or "")

    def refresh(self, environment: str, faults: Sequence[str] = ()) -> None:
        """Let Pulumi read from the cloud what there is of an environment, as `pulumi refresh` does."""
        engine = engines.locate()
        stage = Rehearsal(self.rehearsal, self.config["deploy_target"], faults)
        environ = dict(self.environ)
        stage.enter(environ)
        environ |= {**stage.backend().env, "PULUMI_SKIP_UPDATE_CHECK": "1"}
        environ["PATH"] = os.pathsep.join([*engine.path_entries, environ["PATH"]])
        command = [str(engine.command), "refresh", "--yes", "--skip-preview", "--non-interactive"]
        where = ["--stack", f"{self.name}-{environment}", "--cwd", str(self.own_folder)]
        leading = {name: one for name, one in environ.items() if name.startswith("AWS_")}
        with (
            patch.dict(os.environ, leading),  # curtainup's own provider is served by this process
            program.providers(f"{self.name}-{environment}", stage.providers) as variables,
        ):
            done = subprocess.run(
                [*command, *where], env={**environ, **variables}, capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, done.stdout + done.stderr

    def cloud(self, name: str) -> dict[str, Any]:
        """What a cloud holds now, such as `gcp`; empty when it was never used."""
        file = self.rehearsal.clouds / f"{name}.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def containers(self) -> dict[str, str]:
        """By name the state (`running` …) of the containers that stand for the cloud."""
        found = self.host.client.containers.list(all=True, filters=self._label(), ignore_removed=True)
        return {str(one.name): str(one.status) for one in found}

    def left(self) -> list[str]:
        """What Docker holds of the service and of its rehearsals, in words."""
        volumes = self.host.client.volumes.list(filters=self._label())
        networks = self.host.client.networks.list(filters=self._label())
        found = {
            *self.host.everything(),
            *(f"container {name}" for name in self.containers()),
            *(f"volume {one.name}" for one in volumes),
            *(f"network {one.name}" for one in networks),
        }
        return sorted(found)

    def remove(self) -> None:
        """Destroy what is rehearsed; whatever is left is removed by force, and is an error."""
        try:
            if self.state.stacks() or self.left():
                self.run("destroy", "--confirm", self.name)
            left = self.left()
        finally:
            containers.remove_all(self.rehearsal)
            self.host.remove_everything()
        assert not left, f"destroy has left {left}"

    def _label(self) -> dict[str, str | list[str] | bool]:
        return {"label": f"{LABEL}={self.rehearsal.key}"}


def asked(faults: Sequence[str]) -> list[str]:
    """The options that ask for faults."""
    return [word for fault in faults for word in ("--fault", fault)]


@contextmanager
def rehearsed(folder: Path, python: Path, **keys: Any) -> Iterator[Rehearsed]:
    """Give a service that is destroyed when the block ends."""
    service = Rehearsed(folder, python, **keys)
    yield service
    service.remove()
