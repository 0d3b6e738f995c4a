"""The story of a check: deploy, change, shift step by step, break, roll back; and always destroy."""

from __future__ import annotations

import json
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from cloud_check.models import Curtainup, Ended, Left, Outcome, Place, Step
from curtainup.errors import CandidateGateFailed, CurtainupError

TRIES = 3
"""How often destroying is tried."""
PAUSE = 60.0
"""Seconds before it is tried again: a cloud may still be busy with what was interrupted."""
TAIL = 30
"""Lines of a command's output that the report keeps."""


class Changing(Protocol):
    """The service's source."""

    def say(self, greeting: str) -> None:
        """Change what it answers, and commit it."""


class Stopped(Exception):
    """A step was not right, so those after it would show nothing."""


class Story:
    """One check, step by step."""

    def __init__(
        self, service: Changing, run: Curtainup, left: Left, outcome: Outcome, tell: Callable[[str], None]
    ) -> None:
        self._service = service
        self._run = run
        self._left = left
        self._outcome = outcome
        self._tell = tell
        self.pause: Callable[[float], None] = time.sleep

    def play(self) -> None:
        """Play all steps until one is wrong, and destroy whatever there is then."""
        try:
            self._steps(self._outcome.place)
        except Stopped:
            self._tell("a step was not right: the rest is left out")
        except KeyboardInterrupt:
            self._outcome.interrupted = True
            self._tell("interrupted")
        finally:
            self._end()

    def _steps(self, place: Place) -> None:
        first = self._serves("the first deployment goes live", "deploy")
        self._service.say("second")
        second = self._serves("a change goes live", "deploy", other_than=first)
        self._service.say("third")
        if place.target == "beanstalk":
            self._step("a candidate is held without traffic", "deploy", "--hold")
            third = self._serves("the candidate is promoted", "promote", other_than=second)
        else:
            steps = ("--canary", "10,50", "--every", "10s")
            third = self._serves("a change goes live step by step", "deploy", *steps, other_than=second)
        self._service.say("fourth")
        self._broken(third)
        self._serves("live goes back to an earlier release", "rollback", other_than=third)

    def _broken(self, serving: str) -> None:
        """Have a gate of live fail, and see that live goes on as before."""
        name, env = "a release that fails its gate gets no traffic", {"CLOUD_CHECK_BREAK": "1"}
        self._step(name, "deploy", code=CandidateGateFailed.exit_code, env=env)
        with self._looking("the release before still serves", "status --json") as wrong:
            now = self._serving()
            if now != serving:
                wrong.append(f"{now or 'nothing'} serves in place of {serving}")

    def _serves(self, name: str, *command: str, other_than: str | None = None) -> str:
        """Run a command after which another release has to serve, and return that release's id."""
        self._step(name, *command)
        with self._looking(f"{name}: it answers", "status --json") as wrong:
            release = self._serving()
            if not release:
                wrong.append("no release answers on live")
            if release == other_than:
                wrong.append(f"{release} serves, as before")
        return release

    def _serving(self) -> str:
        """Return the id of the release that answers on live, as `status` says; empty if none does."""
        ended = self._run("status", "--json")
        if ended.code:
            return ""
        [service] = json.loads(ended.out)
        environments: list[dict[str, Any]] = service["environments"]
        return next((str(one["answers"] or "") for one in environments if one["name"] == "live"), "")

    def _step(self, name: str, *command: str, code: int = 0, env: Mapping[str, str] | None = None) -> None:
        self._tell(f"{name}: curtainup {shlex.join(command)}")
        began = time.monotonic()
        ended = self._run(*command, env=env)
        wrong = "" if ended.code == code else f"exit code {ended.code} in place of {code}"
        self._keep(Step(name, shlex.join(command), time.monotonic() - began, wrong, _tail(ended)))

    @contextmanager
    def _looking(self, name: str, command: str) -> Iterator[list[str]]:
        began, wrong = time.monotonic(), list[str]()
        yield wrong
        self._keep(Step(name, command, time.monotonic() - began, "; ".join(wrong), ""))

    def _keep(self, step: Step) -> None:
        self._outcome.steps.append(step)
        self._tell(f"{step.name}: {step.wrong or 'right'}")
        if step.wrong:
            raise Stopped

    def _end(self) -> None:
        """Destroy the service whoever wants to stop it, and ask the cloud what is left."""
        with _deaf(self._tell):
            step = self._destroyed()
            self._outcome.steps.append(step)
            self._outcome.destroyed = not step.wrong
            try:
                self._outcome.left = self._left(self._outcome.service)
            except CurtainupError as error:
                self._tell(f"the cloud does not say what is left: {error.what}")

    def _destroyed(self) -> Step:
        command = ("destroy", "--confirm", self._outcome.service)
        attempt, began = 1, time.monotonic()
        while True:
            self._tell(f"destroying: curtainup {shlex.join(command)}")
            ended = self._run(*command)
            if not ended.code or attempt == TRIES:
                wrong = f"exit code {ended.code}" if ended.code else ""
                return Step("destroy", shlex.join(command), time.monotonic() - began, wrong, _tail(ended))
            attempt += 1
            self.pause(PAUSE)


@contextmanager
def _deaf(tell: Callable[[str], None]) -> Iterator[None]:
    """Let no signal stop what runs inside: what is not destroyed is billed."""

    def heard(_number: int, _frame: object) -> None:
        tell("still destroying what is billed; this ends by itself")

    before = {one: signal.signal(one, heard) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _tail(ended: Ended) -> str:
    return "\n".join(f"{ended.err}\n{ended.out}".strip().splitlines()[-TAIL:])
