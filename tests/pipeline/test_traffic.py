from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.errors import EngineFailed, Interrupted, TrafficReturned
from curtainup.gates.tally import ProbeResult
from curtainup.model import release
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.pipeline import traffic
from curtainup.pipeline.canary import PERIOD, Canary
from curtainup.pipeline.run.steps import Progress
from tests import samples
from tests.clocks import Clock
from tests.proxies import Proxy, serving
from tests.sessions import Notes, World, world

OLD, NEW = "r0000001", "r0000002"
UNDER_WAY = "the outgoing release still has requests under way"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


class Scene:
    """A live environment behind that proxy, in which release 2 is staged beside release 1."""

    def __init__(self, folder: Path, proxy: Proxy, text: str = "", start: Deployment | None = None) -> None:
        self.world: World = world(folder, text)
        self.proxy = proxy
        self.rollout = Rollout(self.world.session, "live")
        settings = samples.environment(port=proxy.port, stats_port=proxy.port)
        self.rollout.environment = Environment("shop-live", settings)
        self.rollout.apply(samples.deployment(100, 0, candidate=NEW) if start is None else start)
        self.world.engine.ups.clear()
        self.results: list[ProbeResult] = []
        self.report = Notes()
        self.progress = Progress(self.report, "shift")
        proxy.before = self._route

    def _route(self) -> None:
        """Let the release with most traffic answer, as the proxy does."""
        serving = self.rollout.deployment.serving()
        self.proxy.release = serving.id if serving else ""

    def move(self, *shares: int, canary: Canary = traffic.AT_ONCE) -> ProbeResult:
        stages = [release.shift(self.rollout.deployment, NEW, share) for share in shares]
        with traffic.watched(self.rollout, NEW, self.results.append) as watch:
            watch.move(stages, self.progress, canary)
        return self.results[-1]

    @property
    def drained(self) -> bool:
        return not self.progress.note.endswith(UNDER_WAY)


def test_traffic_moves_share_by_share_under_the_probe(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    moved = scene.move(10, 100)
    assert scene.world.engine.traffics == [{"r0000001": 90, NEW: 10}, {NEW: 100}]
    assert scene.report.progress == [("shift", "r0000001 90 %, r0000002 10 %"), ("shift", "r0000002 100 %")]
    assert moved.failed == 0
    assert scene.drained
    assert {phase.phase for phase in moved.phases} >= {"before", "during"}
    assert scene.progress.note.startswith("0 of ")


def test_a_first_release_takes_traffic_without_a_probe(tmp_path: Path, proxy: Proxy) -> None:
    """Nothing answered before, so there is nothing to lose."""
    scene = Scene(tmp_path, proxy, start=samples.deployment(0, 0))
    assert scene.move(100).total == 0
    assert scene.progress.note == "first traffic"


def test_failed_requests_stop_the_move_and_the_figures_are_kept(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {NEW: 503}
    with pytest.raises(TrafficReturned, match="requests failed while traffic moved") as caught:
        scene.move(60, 100, canary=Canary((60,), 60))
    assert len(scene.world.engine.ups) == 1, "it went no further"
    assert "probe.json" in str(caught.value.fix)
    (result,) = scene.results
    assert 0 < result.failed < result.total
    assert {failure.release for failure in result.failures} == {NEW}


def test_as_many_failures_as_are_allowed_are_no_failure(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy, "max_failures: 1000000\n")
    proxy.statuses = {NEW: 503}
    scene.move(60, 100)
    assert scene.results[0].failed > 0


def test_a_broken_live_is_not_held_against_the_release_that_replaces_it(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {OLD: 500}
    moved = scene.move(100)
    assert moved.failed > 0
    assert re.fullmatch(
        r"live was failing before \((\d+) of \1\); the new release answered (\d+) of \2", scene.progress.note
    )


def test_a_stopped_live_is_not_held_against_the_release_that_replaces_it(
    tmp_path: Path, proxy: Proxy
) -> None:
    """What the proxy answers for a release that is gone names none."""
    scene = Scene(tmp_path, proxy)

    def route() -> None:
        serving = scene.rollout.deployment.serving()
        proxy.release = NEW if serving and serving.id == NEW else ""
        proxy.status = 200 if proxy.release else 503

    proxy.before = route
    scene.move(100)
    assert scene.progress.note.startswith("live was failing before (")


def test_a_hanging_live_does_not_hold_up_the_release_that_replaces_it(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.sessions = {OLD: "9"}
    ended = Event()

    def hang() -> None:
        scene._route()
        if proxy.release == OLD:
            ended.wait(60)

    proxy.before = hang
    try:
        scene.move(100)
    finally:
        ended.set()
    assert scene.progress.note.startswith("live was failing before (")
    assert scene.drained, "requests that hang are not waited for"


def test_a_new_release_that_is_worse_than_a_failing_live_is_not_kept(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    answers = itertools.count()

    def route() -> None:
        scene._route()
        proxy.status = 500 if proxy.release == NEW or next(answers) % 2 else 200

    proxy.before = route
    with pytest.raises(TrafficReturned, match=r"failed while traffic moved; \d+ of \d+ failed before"):
        scene.move(100)


def test_failures_of_the_outgoing_release_are_shown_and_not_held_against_the_incoming(
    tmp_path: Path, proxy: Proxy
) -> None:
    scene = Scene(tmp_path, proxy)
    flag = tmp_path / "flag"

    def route() -> None:
        scene._route()
        proxy.status = 500 if proxy.release == OLD and scene.rollout.deployment.traffic.get(NEW) else 200

    proxy.before = route
    watch = f"sleep 0.2; touch {flag}"
    assert scene.move(10, 100, canary=Canary((10,), 0.3, watch)).failed > 0
    assert "of them in the outgoing release" in scene.progress.note


def test_a_watch_that_fails_because_live_is_down_stops_nothing(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    proxy.statuses = {OLD: 500}
    scene.move(60, 100, canary=Canary((60,), 0, "false"))
    assert any("live is down, and the canary watch fails: false" in text for _, text in scene.report.progress)
    assert scene.world.engine.traffics[-1] == {NEW: 100}


def test_a_request_that_fails_while_live_is_tested_counts(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    stages = [release.shift(scene.rollout.deployment, NEW)]
    with traffic.watched(scene.rollout, NEW, scene.results.append) as watch:
        watch.move(stages, scene.progress)
        proxy.statuses = {NEW: 503}
        assert watch._probe.wait_for(5, 120)
        with pytest.raises(TrafficReturned, match="requests failed while traffic moved"):
            watch.require_clean()
    assert scene.results[0].failed > 0


def test_an_update_that_fails_stops_the_probe_and_keeps_its_figures(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.world.engine.failures.append(EngineFailed("no"))
    with pytest.raises(EngineFailed):
        scene.move(100)
    assert scene.results[0].total > 0


def test_a_release_with_requests_under_way_is_not_drained(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)
    monkeypatch.setattr(traffic, "time", Clock(lambda: proxy.asked > 1))
    proxy.sessions = {"r0000001": "2", NEW: "1"}
    scene.move(100)
    assert not scene.drained
    assert proxy.asked > 1


def test_only_who_leaves_has_to_drain(tmp_path: Path, proxy: Proxy) -> None:
    proxy.sessions = {"r0000001": "0", NEW: "5"}
    scene = Scene(tmp_path, proxy)
    scene.move(100)
    assert scene.drained
    proxy.asked, proxy.sessions = 0, {"r0000001": "5"}
    scene = Scene(tmp_path, proxy)
    scene.move(50)
    assert scene.drained, "it goes on serving"
    assert proxy.asked == 0


def test_a_share_is_kept_and_told_with_the_time_left(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    scene.move(10, 100, canary=Canary((10,), 0.2))
    [told] = [text for _, text in scene.report.progress if " left, " in text]
    assert told.startswith("r0000001 90 %, r0000002 10 %: ")
    assert "0 of " in told


def test_a_watched_command_that_fails_stops_the_move(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    flag = tmp_path / "flag"
    command = f"if test -e {flag}; then echo 7 %; exit 3; fi; touch {flag}"
    with pytest.raises(TrafficReturned, match="failed at r0000001 90 %, r0000002 10 %: if test") as caught:
        scene.move(10, 100, canary=Canary((10,), 60, command))
    assert caught.value.detail == "7 %"
    assert len(scene.world.engine.ups) == 1


def test_what_is_unwell_before_the_move_stops_it(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    with pytest.raises(TrafficReturned, match="before traffic moved: false: exit code 1"):
        scene.move(10, 100, canary=Canary((10,), 60, "false"))
    assert scene.world.engine.ups == []


def test_ctrl_c_ends_a_long_step(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy)
    flag = tmp_path / "flag"
    timer = Timer(0, lambda: None)

    def cancel() -> None:
        while not flag.exists():
            timer.finished.wait(0.01)
        scene.world.session.run.cancelled.set()

    timer.function = cancel
    timer.start()
    with pytest.raises(Interrupted, match="while traffic was split"):
        scene.move(10, 100, canary=Canary((10,), PERIOD * 100, f"touch {flag}"))
    timer.join()


def test_a_first_release_is_not_watched(tmp_path: Path, proxy: Proxy) -> None:
    scene = Scene(tmp_path, proxy, start=samples.deployment(0, 0))
    assert scene.move(100, canary=Canary((), 0, "false")).total == 0
