"""The story of a check, with a curtainup that answers as told: what is right, and that it always ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud_check import report
from cloud_check.models import Ended, Outcome, Place
from cloud_check.story import TRIES, Story
from curtainup.errors import CandidateGateFailed, SetupError

RUN = Place("cloud-run", "europe-west1", "secret-project")
BEANSTALK = Place("beanstalk", "eu-west-1")


@dataclass
class Told:
    """A service whose deployments each bring another release; `wrong` are exit codes by command."""

    place: Place = RUN
    wrong: dict[str, int] = field(default_factory=dict)
    breaks: bool = True
    stuck: bool = False
    interrupt: str = ""
    ran: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    release: int = 0

    def say(self, greeting: str) -> None:
        self.said.append(greeting)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        line = " ".join(arguments)
        self.ran.append(line)
        if line == self.interrupt:
            raise KeyboardInterrupt
        if arguments[0] == "status":
            live = {"name": "live", "answers": f"r{self.release}" if self.release else None}
            return Ended(0, json.dumps([{"environments": [{"name": "staging"}, live]}]), "")
        if arguments[0] in self.wrong:
            return Ended(self.wrong[arguments[0]], "", "error: account 123456789012 has no quota")
        if env and self.breaks:
            return Ended(CandidateGateFailed.exit_code, "", "as it has to be")
        if arguments[0] in {"deploy", "promote", "rollback"} and "--hold" not in arguments:
            self.release += 0 if self.stuck else 1
        return Ended(0, "", "")

    def played(self, left: list[str] | None = None) -> Outcome:
        outcome = Outcome("cucheck-1", self.place, "1.0", "2026-01-01T00:00:00Z")

        def ask(service: str) -> list[str]:
            if left is None:
                raise SetupError("AWS is not reached")
            return left

        story = Story(self, self.run, ask, outcome, lambda _: None)
        story.pause = lambda _: None
        story.play()
        return outcome


def _wrong(outcome: Outcome) -> list[str]:
    return [f"{step.name}: {step.wrong}" for step in outcome.steps if step.wrong]


@pytest.mark.parametrize("place", [RUN, BEANSTALK], ids=["cloud-run", "beanstalk"])
def test_a_check_that_is_right_passes(place: Place) -> None:
    told = Told(place)
    outcome = told.played(left=[])
    assert _wrong(outcome) == []
    assert outcome.passed
    assert told.said == ["second", "third", "fourth"]
    commands = [line for line in told.ran if not line.startswith("status")]
    moved = ["deploy --hold", "promote"] if place is BEANSTALK else ["deploy --canary 10,50 --every 10s"]
    end = ["deploy", "rollback", "destroy --confirm cucheck-1"]
    assert commands == ["deploy", "deploy", *moved, *end]


def test_a_deployment_that_fails_ends_the_story_and_is_destroyed() -> None:
    told = Told(wrong={"deploy": 17})
    outcome = told.played(left=[])
    assert _wrong(outcome) == ["the first deployment goes live: exit code 17 in place of 0"]
    assert told.ran == ["deploy", "destroy --confirm cucheck-1"]
    assert outcome.destroyed
    assert not outcome.passed


def test_a_release_that_never_serves_is_wrong() -> None:
    assert _wrong(Told(stuck=True).played(left=[])) == [
        "the first deployment goes live: it answers: no release answers on live"
    ]


def test_a_broken_release_that_goes_live_is_wrong() -> None:
    assert _wrong(Told(breaks=False).played(left=[])) == [
        "a release that fails its gate gets no traffic: exit code 0 in place of 12"
    ]


@pytest.mark.parametrize("line", ["deploy", "status --json", "deploy --canary 10,50 --every 10s", "rollback"])
def test_ctrl_c_at_any_step_destroys(line: str) -> None:
    told = Told(interrupt=line)
    outcome = told.played(left=[])
    assert outcome.interrupted
    assert told.ran[-1] == "destroy --confirm cucheck-1"
    assert outcome.destroyed
    assert not outcome.passed


def test_no_signal_stops_destroying() -> None:
    """A signal comes while destroy runs, as from somebody who presses Ctrl-C again."""
    told, heard = Told(), list[str]()

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        if arguments[0] == "destroy":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
        return told.run(*arguments, env=env)

    outcome = Outcome("cucheck-1", RUN, "1.0", "2026-01-01T00:00:00Z")
    before = signal.getsignal(signal.SIGINT)
    Story(told, run, lambda _: [], outcome, heard.append).play()
    assert outcome.destroyed
    assert heard.count("still destroying what is billed; this ends by itself") == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_destroying_is_tried_again_and_what_is_left_is_loud() -> None:
    told = Told(wrong={"destroy": 17})
    outcome = told.played(left=["Beanstalk environment cucheck-1-live, billed"])
    assert told.ran.count("destroy --confirm cucheck-1") == TRIES
    assert not outcome.destroyed
    text = report.markdown(outcome)
    assert "**The service was not destroyed, and may be billed.**" in text
    assert "- Beanstalk environment cucheck-1-live, billed" in text


def test_a_cloud_that_does_not_answer_is_no_empty_cloud() -> None:
    outcome = Told().played(left=None)
    assert _wrong(outcome) == []
    assert not outcome.passed
    assert "did not answer" in report.markdown(outcome)


def test_the_report_can_be_attached_to_an_issue(tmp_path: Path) -> None:
    outcome = Told(wrong={"deploy": 17}).played(left=["secret of secret-project"])
    written = report.write(outcome, tmp_path / "new")
    data = json.loads((written.parent / "report.json").read_text())
    assert data["passed"] is False
    assert data["steps"][0]["wrong"] == "exit code 17 in place of 0"
    for text in (written.read_text(), json.dumps(data)):
        assert "account ACCOUNT has no quota" in text
        assert "secret-project" not in text
        assert "123456789012" not in text
