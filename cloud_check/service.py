"""The service that is checked: a copy of examples/hello in a repository and with a state of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from cloud_check.models import Ended, Place

HELLO = Path(__file__).parents[1] / "examples" / "hello"
PYTHON = HELLO / ".venv" / "bin" / "python"
"""Which `make cloud-check` makes: it has what the service's tests need."""
LONGEST = 3 * 3600
"""Seconds for one command: two launches, a switch and a launch that fails on Beanstalk take less."""
BREAKS = '''\
"""Fails where live is judged, if it is told to."""

import os


def test_live_is_as_it_has_to_be():
    broken = os.environ.get("CLOUD_CHECK_BREAK") == "1"
    assert not (broken and os.environ.get("CURTAINUP_ENVIRONMENT") == "live")
'''


class Service:
    """A repository in a folder, and curtainup to run on it.

    State and passphrase are in the same folder, with a script that destroys the service if the check itself
    is killed.
    """

    def __init__(
        self, folder: Path, name: str, place: Place, *, python: Path = PYTHON, rehearsal: bool = False
    ) -> None:
        self.folder = folder / "service"
        self.name = name
        self._rehearsal = rehearsal
        self._state = folder / "state"
        self._passphrase = folder / "passphrase"
        self._secret = secrets.token_urlsafe(16)
        self._state.mkdir(parents=True)
        self._passphrase.write_text(secrets.token_urlsafe(32))
        self._passphrase.chmod(0o600)
        ignored = shutil.ignore_patterns(
            ".venv", ".curtainup", "__pycache__", "pym-config.*.yaml", "*.egg-info"
        )
        shutil.copytree(HELLO, self.folder, ignore=ignored)
        keys = {"name": name, **place.keys, "env_secrets": ["HELLO_SECRET"], "python": str(python)}
        (self.folder / "pym-config.yaml").write_text(yaml.safe_dump(keys, sort_keys=False))
        (self.folder / "testaccept" / "test_break.py").write_text(BREAKS)
        self._script = folder / "destroy.sh"
        self._script.write_text(self._destroying())
        self._git("init", "--quiet")
        self.commit("Begin")

    def say(self, greeting: str) -> None:
        """Change what the service answers, and commit it."""
        file = self.folder / "server.py"
        text = file.read_text()
        head, _, tail = text.partition("def greet():\n")
        rest = tail.partition("\n")[2]
        line = (
            f'    return jsonify(greeting="Hello!", says="{greeting}", environment=os.environ.get("PYM_ENV"))'
        )
        file.write_text(f"{head}def greet():\n{line}\n{rest}")
        self.commit(f"Say {greeting}")

    def commit(self, message: str) -> None:
        """Commit everything."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run `curtainup ARGUMENTS`; Ctrl-C at the terminal reaches the check alone, which waits for it."""
        command = [sys.executable, "-P", "-m", "curtainup", *self._words(arguments)]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self._variables(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=LONGEST)
        except BaseException:
            # curtainup undoes what it had begun, and gives its lock back.
            process.terminate()
            process.communicate()
            raise
        return Ended(process.returncode, out, err)

    def by_hand(self) -> str:
        """Return the command with which somebody destroys the service."""
        return shlex.join(["sh", str(self._script)])

    def _destroying(self) -> str:
        words = self._words(("destroy", str(self.folder), "--confirm", self.name))
        variables = [f"export {name}={shlex.quote(value)}" for name, value in self._variables().items()]
        command = shlex.join([sys.executable, "-P", "-m", "curtainup", *words])
        return "\n".join(["#!/bin/sh", "# Destroys the service of this check.", *variables, command, ""])

    def _words(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if not self._rehearsal:
            return arguments
        command, *rest = arguments
        return ("rehearse", *rest) if command == "deploy" else (command, *rest, "--rehearsal")

    def _variables(self) -> dict[str, str]:
        own = {"HELLO_SECRET": self._secret}
        if self._rehearsal:
            return own
        state = {"PULUMI_BACKEND_URL": f"file://{self._state}"}
        return {**own, **state, "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase)}

    def _git(self, *arguments: str) -> None:
        who = (
            "-c",
            "user.name=cloud check",
            "-c",
            "user.email=cloud-check@example.com",
            "-c",
            "commit.gpgsign=false",
        )
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)
