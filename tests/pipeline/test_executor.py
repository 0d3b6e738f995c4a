from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from curtainup.environments import opening
from curtainup.environments.rollout import Rollout
from curtainup.errors import (
    EngineFailed,
    Frozen,
    Interrupted,
    ProcessFailed,
    ReturnDidNotHelp,
    ReturnFailed,
    TrafficKept,
    TrafficReturned,
)
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.process_state import ENDED, RUNNING, STARTING, ProcessState
from curtainup.model.release import Deployment
from curtainup.pipeline import planner, returning
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.gate import Gate
from curtainup.pipeline.gatekeeper import Gatekeeper
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps
from curtainup.pipeline.traffic import AT_ONCE, Watch
from curtainup.pipeline.transition import PutBack, Transition
from curtainup.targets.docker.target import DockerTarget
from curtainup.util.process import Cancel
from tests import samples
from tests.proxies import Proxy, serving
from tests.sessions import world

OLD, NEW = {"r0000001": 100}, {"r0000002": 100}
NEVER = Event()


class Judge(Gatekeeper):
    """A gatekeeper that says what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Gate] = []
        self.proofs: list[str] = []
        self.watched = True
        self.verdict: Callable[[], None] = lambda: None
        self.has_failed: Cancel = NEVER

    def judge(
        self,
        gate: Gate,
        progress: Progress,
        image: str,
        watch: Watch | None = None,
        has_failed: Cancel = NEVER,
    ) -> Callable[[], None]:
        self.has_failed = has_failed
        assert progress.name == "live-gate"
        assert image == "image"
        assert watch is not None or not self.watched
        self.asked.append(gate)
        self.verdict()
        return lambda: self.proofs.append(gate.name)

    def warm(self, image: str) -> None:
        assert image == "image"


class Scene:
    """A live environment behind that proxy, in which release 2 is staged beside release 1."""

    def __init__(self, folder: Path, proxy: Proxy, text: str = "") -> None:
        self.world = world(folder, text)
        self.session = self.world.session
        self.rollout = Rollout(self.session, "live")
        settings = samples.environment(port=proxy.port, stats_port=proxy.port)
        self.rollout.environment = Environment("shop-live", settings)
        self.before = samples.deployment(100)
        self.rollout.apply(samples.deployment(100, 0, candidate="r0000002"))
        self.world.engine.ups.clear()
        self.recorder = Recorder(folder, "shop", "deploy", environ={})
        self.judge = Judge()
        steps = Steps(self.session.run.report, self.recorder, self.session.run.cancelled)
        context = RunContext(self.session, self.recorder, steps, self.judge, Guard())
        self.executor = Executor(context, {"live": self.rollout})
        self.proxy, self.down = proxy, set[str]()
        proxy.before = self._route
        self.rollout.answers = lambda release: release.id not in self.down  # type: ignore[method-assign]

    def _route(self) -> None:
        """Let the release with most traffic answer, as the proxy does."""
        serving = self.rollout.deployment.serving()
        self.proxy.release = serving.id if serving else ""

    def move(self, *, canary: Canary = AT_ONCE) -> None:
        """Give the candidate the traffic, as `deploy` does once it is proven."""
        new = samples.release(2)
        self.executor.carry_out(planner.to_live(self.rollout, new, "image", _never, canary))

    def await_moved(self) -> None:
        """Wait until the move is over: from then on, failed requests are not those of the move."""
        deadline = time.monotonic() + 60
        while ("shift", "passed") not in self.steps():
            assert time.monotonic() < deadline, self.steps()
            time.sleep(0.01)

    def steps(self) -> list[tuple[str, str | None]]:
        return [(step.name, step.outcome) for step in self.recorder.record.steps]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


def _never(gate: str, release: str) -> bool:
    del gate, release
    return False


def _await(event: Event) -> None:
    assert event.wait(60)


def _fail() -> None:
    raise TrafficReturned("2 of 3 tests failed")


def test_a_proven_release_keeps_the_traffic(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.move()
    assert scene.world.engine.traffics == [NEW]
    assert scene.steps() == [("shift", "passed"), ("live-gate", "passed")]
    (gate,) = scene.judge.asked
    assert (gate.name, gate.release, gate.version) == ("live", "r0000002", samples.release(2).version)
    assert scene.judge.proofs == ["live"]
    assert gate.through_proxy, "the gate asserts that it reaches the release that it means"
    (move,) = scene.recorder.record.traffic
    assert (move.outgoing, move.incoming) == ("r0000001", "r0000002")


class Worked:
    """A scene whose new release has a worker, and what that does whenever somebody looks."""

    def __init__(self, folder: Path, proxy: Proxy, patch: pytest.MonkeyPatch, state: str) -> None:
        process = Process(name="worker", command=("work",), count=1, memory_mb=64, stop_timeout=1, settle=1)
        self.new = samples.release(2, settings=samples.SETTINGS.model_copy(update={"processes": (process,)}))
        self.scene = Scene(folder, proxy)
        self.state, self.is_looked_at = state, Event()
        self.proofs: list[list[str]] = []
        patch.setattr(DockerTarget, "process_states", lambda *_: self._states())
        patch.setattr(DockerTarget, "process_log", lambda *_: "")
        patch.setattr(DockerTarget, "has_lost_process", lambda *_: False)
        patch.setattr(DockerTarget, "limit_processes", lambda *_: None)

    def _states(self) -> list[ProcessState]:
        self.proofs.append(list(self.scene.judge.proofs))
        self.is_looked_at.set()
        return [ProcessState("worker", 1, self.new.id, self.state, seconds=9)]

    def move(self) -> None:
        self.scene.executor.carry_out(planner.to_live(self.scene.rollout, self.new, "image", _never, AT_ONCE))

    def went_back(self) -> bool:
        return self.scene.rollout.deployment.working == "r0000001" and self.scene.judge.proofs == []


def test_a_release_is_proven_once_its_processes_work(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed in the wait leaves no proof, so the next one judges again and may go back."""
    worked = Worked(tmp_path, proxy, monkeypatch, RUNNING)

    worked.move()

    assert worked.proofs == [[]]
    assert worked.scene.judge.proofs == ["live"]
    assert worked.scene.rollout.deployment.working == worked.new.id


def test_its_processes_are_looked_at_while_its_gate_runs(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = Worked(tmp_path, proxy, monkeypatch, RUNNING)
    worked.scene.judge.verdict = lambda: _await(worked.is_looked_at)

    worked.move()

    assert worked.scene.steps()[1:] == [("live-gate", "passed"), ("live-processes", "passed")]


def test_a_process_that_ends_ends_the_gate_too_and_is_the_error(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = Worked(tmp_path, proxy, monkeypatch, ENDED)

    def stopped() -> None:
        deadline = time.monotonic() + 60
        while not worked.scene.judge.has_failed.is_set():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        raise Interrupted("the tests were stopped")

    worked.scene.judge.verdict = stopped
    with pytest.raises(ProcessFailed, match="process worker of"):
        worked.move()

    found = dict(worked.scene.steps())
    assert (found["live-gate"], found["live-processes"], found["return"]) == ("cancelled", "failed", "passed")
    assert worked.went_back()


def test_a_gate_that_fails_ends_the_wait_for_processes_and_is_the_error(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = Worked(tmp_path, proxy, monkeypatch, STARTING)

    def fail() -> None:
        _await(worked.is_looked_at)
        _fail()

    worked.scene.judge.verdict = fail
    began = time.monotonic()
    with pytest.raises(TrafficReturned, match="2 of 3 tests failed"):
        worked.move()

    assert time.monotonic() - began < worked.scene.rollout.config.start_timeout
    found = dict(worked.scene.steps())
    assert (found["live-gate"], found["live-processes"], found["return"]) == ("failed", "cancelled", "passed")
    assert worked.went_back()


def test_who_watches_over_an_environment_is_asked_once_right_before_it_is_touched(
    tmp_path: Path, proxy: Proxy
) -> None:
    """As a freeze that has begun since the run did; what is under way on live goes on to its end."""
    scene = Scene(tmp_path, proxy)
    asked: list[tuple[str, int]] = []
    transitions = planner.to_live(scene.rollout, samples.release(2), "image", _never, AT_ONCE)

    def refuse(environment: str) -> None:
        asked.append((environment, len(scene.world.engine.ups)))
        raise Frozen("live is frozen")

    with pytest.raises(Frozen):
        scene.executor.carry_out(transitions, refuse)
    assert (asked, scene.steps()) == ([("live", 0)], [])

    asked.clear()
    scene.executor.carry_out((*transitions, *transitions), lambda name: asked.append((name, 0)))
    assert asked == [("live", 0)]


def test_a_failed_gate_puts_traffic_back_before_it_removes_anything(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.judge.verdict = _fail
    with pytest.raises(TrafficReturned, match="2 of 3 tests failed"):
        scene.move()
    assert scene.world.engine.traffics == [NEW, OLD, OLD]
    assert scene.rollout.deployment == scene.before
    assert scene.steps() == [("shift", "passed"), ("live-gate", "failed"), ("return", "passed")]


def test_failed_requests_put_traffic_back(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {"r0000002": 503}
    with pytest.raises(TrafficReturned):
        scene.move()
    assert scene.world.engine.traffics[-1] == OLD
    assert scene.judge.asked == [], "there was nothing to judge"
    assert scene.steps() == [("shift", "failed"), ("return", "passed")]


def test_an_interrupted_gate_puts_traffic_back_after_ctrl_c(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)

    def interrupted() -> None:
        scene.session.run.cancelled.set()
        raise Interrupted("interrupted")

    scene.judge.verdict = interrupted
    with pytest.raises(Interrupted):
        scene.move()
    assert scene.world.engine.traffics[-1] == OLD
    assert scene.steps()[-1] == ("return", "passed")


def test_even_an_error_nobody_foresaw_puts_traffic_back(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.judge.verdict = lambda: print(1 // 0)
    with pytest.raises(ZeroDivisionError):
        scene.move()
    assert scene.world.engine.traffics[-1] == OLD


def test_a_return_that_fails_calls_for_a_person(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)

    def fail() -> None:
        scene.world.engine.failures.append(EngineFailed("the disk is gone", detail="EIO"))
        _fail()

    scene.judge.verdict = fail
    with pytest.raises(ReturnFailed, match="live could not be put back: the disk is gone") as caught:
        scene.move()
    assert "2 of 3 tests failed" in str(caught.value.detail)
    assert "EIO" in str(caught.value.detail)
    assert caught.value.fix
    assert scene.steps()[-1] == ("return", "failed")


def test_a_release_that_fails_keeps_the_traffic_if_live_was_down_before(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {"r0000001": 500}
    scene.judge.verdict = _fail
    with pytest.raises(TrafficKept, match="2 of 3 tests failed") as caught:
        scene.move()
    assert "r0000002 100 %" in str(caught.value.consequence)
    assert "live was failing before" in str(caught.value.consequence)
    assert scene.world.engine.traffics == [NEW]
    assert scene.steps() == [("shift", "passed"), ("live-gate", "failed"), ("return", "skipped")]


def test_a_release_that_fails_keeps_the_traffic_if_the_one_before_no_longer_answers(
    tmp_path: Path, proxy: Proxy
) -> None:
    scene = Scene(tmp_path, proxy)

    def fail() -> None:
        scene.down.add("r0000001")
        _fail()

    scene.judge.verdict = fail
    with pytest.raises(TrafficKept) as caught:
        scene.move()
    assert "(r0000001) does not answer" in str(caught.value.consequence)
    assert scene.world.engine.traffics == [NEW]


def test_ctrl_c_leaves_the_traffic_with_the_release_that_answers(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {"r0000001": 500}

    def interrupted() -> None:
        scene.session.run.cancelled.set()
        raise Interrupted("interrupted")

    scene.judge.verdict = interrupted
    with pytest.raises(Interrupted) as caught:
        scene.move()
    assert "traffic stays as it is (r0000002 100 %)" in str(caught.value.consequence)
    assert scene.world.engine.traffics == [NEW]


def test_a_return_that_does_not_help_says_so(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)
    monkeypatch.setattr(returning, "ANSWER_WITHIN", 0.2)

    def fail() -> None:
        scene.await_moved()
        scene.down |= {"r0000001", "r0000002"}
        proxy.status = 503
        _fail()

    scene.judge.verdict = fail
    with pytest.raises(ReturnDidNotHelp, match="live still fails: GET /ping: HTTP 503") as caught:
        scene.move()
    assert "2 of 3 tests failed" in str(caught.value.detail)
    assert scene.rollout.deployment == scene.before
    assert scene.steps()[-1] == ("return", "failed")


def test_canary_shares_come_before_all_of_it(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.move(canary=Canary((10,)))
    assert scene.world.engine.traffics == [{"r0000001": 90, "r0000002": 10}, NEW]


def test_the_gate_begins_while_the_update_still_removes_what_served_before(
    tmp_path: Path, proxy: Proxy
) -> None:
    scene = Scene(tmp_path, proxy)
    judged = Event()
    scene.judge.verdict = judged.set
    scene.world.engine.rest = lambda: _await(judged)
    scene.move()
    assert scene.steps() == [("shift", "passed"), ("live-gate", "passed")]
    assert scene.rollout.deployment.traffic == {"r0000001": 0, **NEW}, "the update is over"


def test_traffic_goes_back_once_the_update_is_over(tmp_path: Path, proxy: Proxy) -> None:
    """Pulumi takes one update of a stack at a time."""
    scene = Scene(tmp_path, proxy)
    judged, updates = Event(), list[int]()

    def fail() -> None:
        judged.set()
        _fail()

    def clean_up() -> None:
        _await(judged)
        updates.append(len(scene.world.engine.ups))

    scene.judge.verdict, scene.world.engine.rest = fail, clean_up
    with pytest.raises(TrafficReturned, match="2 of 3 tests failed"):
        scene.move()
    assert updates[0] == 1, "nothing was put back before"
    assert scene.rollout.deployment == scene.before
    assert scene.steps() == [("shift", "passed"), ("live-gate", "failed"), ("return", "passed")]


@pytest.mark.parametrize("verdict", [lambda: None, _fail])
def test_an_update_that_fails_beside_the_gate_is_the_error(
    tmp_path: Path, proxy: Proxy, verdict: Callable[[], None]
) -> None:
    scene = Scene(tmp_path, proxy)
    judged = Event()

    def judge() -> None:
        judged.set()
        verdict()

    def fail() -> None:
        scene.world.engine.rest = lambda: None
        _await(judged)
        raise EngineFailed("the old container cannot be removed")

    scene.judge.verdict, scene.world.engine.rest = judge, fail
    with pytest.raises(EngineFailed, match="cannot be removed"):
        scene.move()
    assert scene.world.engine.traffics == [NEW, OLD], "the update had not ended well, so one is enough"
    assert scene.steps()[0] == ("shift", "failed")
    assert scene.steps()[-1] == ("return", "passed")


def test_the_gate_does_not_wait_until_the_outgoing_release_has_drained(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy, "drain_timeout: 600\n")
    proxy.sessions = {"r0000001": "1"}
    scene.judge.verdict = proxy.sessions.clear
    scene.move()
    shift, gate = scene.recorder.record.steps
    assert (shift.name, shift.outcome, gate.outcome) == ("shift", "passed", "passed")
    assert not shift.detail.endswith("requests under way")


def test_a_failed_gate_does_not_wait_until_the_outgoing_release_has_drained(
    tmp_path: Path, proxy: Proxy
) -> None:
    scene = Scene(tmp_path, proxy, "drain_timeout: 600\n")
    proxy.sessions = {"r0000001": "1"}
    scene.judge.verdict = _fail
    with pytest.raises(TrafficReturned, match="2 of 3 tests failed"):
        scene.move()
    assert scene.recorder.record.steps[0].detail.endswith("requests under way")
    assert scene.rollout.deployment == scene.before


def test_ctrl_c_ends_both_the_gate_and_the_update(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)

    def interrupted() -> None:
        scene.session.run.cancelled.set()
        raise Interrupted("interrupted")

    def clean_up() -> None:
        scene.world.engine.rest = lambda: None
        _await(scene.session.run.cancelled)
        raise EngineFailed("the update was cancelled")

    scene.judge.verdict, scene.world.engine.rest = interrupted, clean_up
    with pytest.raises(Interrupted):
        scene.move()
    assert scene.steps() == [("shift", "cancelled"), ("live-gate", "cancelled"), ("return", "passed")]
    assert scene.world.engine.traffics[-1] == OLD


def test_what_already_serves_is_judged_and_left_when_there_is_no_way_back(
    tmp_path: Path, proxy: Proxy
) -> None:
    scene = Scene(tmp_path, proxy)
    scene.judge.verdict, scene.judge.watched = _fail, False
    with pytest.raises(TrafficReturned):
        scene.executor.carry_out(planner.judged(scene.rollout, samples.release(1), "image"))
    assert scene.world.engine.ups == []


def test_what_never_began_is_not_undone(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.rollout.environment = Environment("shop-live")
    undo = PutBack("undo", "undo", Deployment())
    acts = planner.judged(scene.rollout, samples.release(1), "image")[0].acts
    with pytest.raises(RuntimeError, match="has no URL"):
        scene.executor.carry_out([Transition("live", samples.release(1), "image", acts, undo)])
    assert scene.world.engine.ups == []
    assert scene.steps() == [("live-gate", "failed")]


def test_a_first_release_is_judged_once_users_are_led_there(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)
    scene.move()
    scene.judge.watched = False
    waited: list[int] = []
    monkeypatch.setattr(opening, "wait", lambda *_: waited.append(len(scene.judge.asked)))
    [judged] = planner.judged(scene.rollout, samples.release(2), "image")
    before = len(scene.judge.asked)
    for undo in (samples.deployment(100), samples.deployment(0)):
        scene.executor.carry_out([replace(judged, undo=PutBack("live-undo", "put live back", undo))])
    assert waited == [before + 1], "only the one before which nothing served, and before it was judged"


WAITING = "until no request comes to the old release any more"


@pytest.mark.parametrize("named", [False, True])
def test_live_is_judged_once_the_old_release_gets_no_more_requests(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    """Where answers do not name their release, the gate could judge the old one."""
    scene = Scene(tmp_path, proxy)
    monkeypatch.setattr(Rollout, "lingering", 0.5)
    scene.rollout.spec = replace(scene.rollout.spec, names_releases=named)
    before: list[bool] = []
    said = _said(monkeypatch)
    scene.judge.verdict = lambda: before.append(any(WAITING in one for one in said))
    scene.move()
    assert before == [not named]


def test_a_release_that_fails_while_the_old_one_gets_requests_is_not_waited_for(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)
    monkeypatch.setattr(Rollout, "lingering", 3600)
    scene.rollout.spec = replace(scene.rollout.spec, names_releases=False)

    def route() -> None:
        scene._route()
        if ("shift", "passed") in scene.steps():
            proxy.statuses = {"r0000002": 503}

    proxy.before = route
    monkeypatch.setattr(scene.rollout, "known_release_url", lambda _: None)
    with pytest.raises(TrafficReturned):
        scene.move()
    assert scene.world.engine.traffics[-1] == OLD


def _said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the steps of the run say from now on."""
    said: list[str] = []
    usual = Progress.say

    def say(progress: Progress, line: str) -> None:
        said.append(line)
        usual(progress, line)

    monkeypatch.setattr(Progress, "say", say)
    return said
