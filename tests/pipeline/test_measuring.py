"""Verdicts of metrics, with a server that answers as Prometheus does, and a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.errors import CanaryPaused, ConfigError, RefusedError, SetupError, TrafficReturned
from curtainup.model.environment import Environment
from curtainup.model.measured import Measured
from curtainup.pipeline import measuring
from curtainup.pipeline.canary import Canary, asked
from curtainup.pipeline.measuring import Measuring
from tests import samples
from tests.prometheus import Prometheus, prometheus
from tests.sessions import world

OLD, NEW = "r0000001", "r0000002"
ERRORS = 'sum(rate(errors_total{release="r0000002"}[60s]))'
COUNT = 'sum(increase(requests_total{release="r0000002"}[60s]))'
CONFIG = """\
canary: [10, 50]
canary_every: 1m
metrics_url: URL
canary_metrics:
  - name: errors
    query: sum(rate(errors_total{release="{{release}}"}[{{ window }}]))
    at_most: 0.01
    samples: sum(increase(requests_total{release="{{release}}"}[{{window}}]))
    min_samples: 100
  - {name: speed, query: 'speed{service="{{service}}"}', at_least: 2}
"""
SPEED = 'speed{service="shop"}'


class Scene:
    """Live with a canary at 10 %, whose step has begun a minute ago."""

    def __init__(
        self, folder: Path, known: Prometheus, text: str = CONFIG, secrets: dict[str, str] | None = None
    ) -> None:
        self.known, self.said, self.told = known, list[str](), list[tuple[int, Measured]]()
        session = world(folder, text.replace("URL", known.url), secrets).session
        self.rollout = Rollout(session, "live")
        self.rollout.environment = Environment("shop-live", samples.environment(), samples.deployment(90, 10))
        self.rollout.environment.outputs["url"] = "http://127.0.0.1:8081"  # type: ignore[index]
        self.canary = asked(self.rollout.config, None, metrics=True)
        self.measuring = Measuring(self.rollout, self.canary, NEW, OLD, self._tell)
        self.measuring.begin(10)
        self.measuring._since -= 60

    def _tell(self, share: int, found: Measured) -> None:
        self.told.append((share, found))

    def is_over(self, left: float = 0.0) -> bool:
        return self.measuring.is_over(left, self.said.append)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[Prometheus]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(measuring, "PAUSE", 0.0)
    with prometheus() as found:
        found.values = {ERRORS: ["0.005"], COUNT: ["1200"], SPEED: ["2"]}
        yield found


@pytest.fixture
def scene(tmp_path: Path, known: Prometheus) -> Scene:
    return Scene(tmp_path, known)


def test_values_that_keep_to_their_limits_let_the_canary_go_on(scene: Scene) -> None:
    assert scene.is_over()
    assert scene.said == [
        "metrics passed: errors 0.005 of 1,200 samples (at most 0.01); speed 2 (at least 2)"
    ]
    assert [(share, one.name, one.verdict) for share, one in scene.told] == [
        (10, "errors", "passed"),
        (10, "speed", "passed"),
    ]


@pytest.mark.parametrize(
    ("query", "value", "told"),
    [
        (ERRORS, "0.05", "the metric errors is bad at 10 %: 0.05 is above 0.01"),
        (SPEED, "1.5", "the metric speed is bad at 10 %: 1.5 is below 2"),
    ],
)
def test_a_bad_value_returns_the_traffic(scene: Scene, query: str, value: str, told: str) -> None:
    scene.known.values[query] = [value]
    with pytest.raises(TrafficReturned) as caught:
        scene.is_over()
    assert caught.value.what == told
    assert {one.name: one.verdict for _, one in scene.told}[
        "errors" if query == ERRORS else "speed"
    ] == "failed"


@pytest.mark.parametrize(
    ("query", "answer", "why"),
    [
        (COUNT, ["99"], "errors says too little: 99 of 100 samples"),
        (COUNT, [], "errors says too little: its samples are not counted: there is no data"),
        (ERRORS, ["NaN"], "errors says too little: the value is NaN, as after a division by zero"),
        (SPEED, ["+Inf"], "speed says too little: the value is +Inf, as after a division by zero"),
        (SPEED, [], "speed says too little: there is no data"),
        (
            SPEED,
            ["2", "3"],
            "speed says too little: the query gives 2 series, not one: aggregate them, as by sum()",
        ),
    ],
)
def test_what_does_not_count_pauses_and_never_passes(
    scene: Scene, query: str, answer: list[str], why: str
) -> None:
    scene.known.values[query] = answer
    with pytest.raises(CanaryPaused) as caught:
        scene.is_over()
    assert caught.value.what == f"the canary is paused at 10 %, because {why}"
    assert caught.value.exit_code == 36
    assert "curtainup promote" in str(caught.value.fix)
    assert "ask again at this step: curtainup deploy;" in str(caught.value.fix)


def test_what_is_said_of_a_pause_proposes_nothing_that_four_eyes_refuses(scene: Scene) -> None:
    scene.known.values[SPEED] = []
    canary = replace(scene.canary, may_ask_again=False)
    scene.measuring = Measuring(scene.rollout, canary, NEW, OLD, scene._tell)
    with pytest.raises(CanaryPaused) as caught:
        scene.is_over()
    assert "curtainup promote" in str(caught.value.fix)
    assert "curtainup rollback" in str(caught.value.fix)
    assert "curtainup deploy" not in str(caught.value.fix)


def test_too_few_samples_of_a_bad_value_are_no_failure(scene: Scene) -> None:
    scene.known.values |= {ERRORS: ["0.9"], COUNT: ["2"]}
    with pytest.raises(CanaryPaused, match="2 of 100 samples"):
        scene.is_over()


def test_a_bad_value_counts_though_another_does_not(scene: Scene) -> None:
    scene.known.values |= {ERRORS: [], SPEED: ["1"]}
    with pytest.raises(TrafficReturned, match="speed is bad"):
        scene.is_over()


def test_a_server_that_does_not_answer_is_asked_again_for_a_while(scene: Scene) -> None:
    scene.known.down = 3
    assert not scene.is_over(-5.0)
    assert scene.said[0].startswith("asking again: errors: ")
    assert scene.told == [], "what is asked for again is not noted"
    assert scene.is_over(-10.0)


@pytest.mark.parametrize("answer", ["<html>log in</html>", "{}"])
def test_a_server_that_never_answers_pauses(scene: Scene, answer: str) -> None:
    scene.known.values[SPEED] = answer
    assert not scene.is_over(-measuring.PATIENCE + 1)
    with pytest.raises(CanaryPaused, match="speed says too little: its answer is none of Prometheus"):
        scene.is_over(-measuring.PATIENCE)


def test_during_a_step_a_metric_with_samples_may_fail_early(scene: Scene) -> None:
    scene.known.values |= {ERRORS: ["0.5"], SPEED: ["0"]}
    assert not scene.is_over(30.0), "it was looked at a moment ago"
    assert scene.known.queries == []
    scene.measuring._next = 0.0
    with pytest.raises(TrafficReturned, match=r"errors is bad at 10 %: 0\.5 is above 0\.01"):
        scene.is_over(30.0)
    assert SPEED not in scene.known.queries, "nothing says whether enough is known of its value"


def test_during_a_step_nothing_passes_and_nothing_pauses(scene: Scene) -> None:
    for count in ("1200", "0"):
        scene.known.values[COUNT] = [count]
        scene.measuring._next = 0.0
        assert not scene.is_over(30.0)


def test_without_metrics_a_step_lasts_as_long_as_it_was_to(scene: Scene) -> None:
    plain = Measuring(scene.rollout, Canary((10,), 60.0), NEW, OLD, scene._tell)
    assert [plain.is_over(1.0, scene.said.append), plain.is_over(0.0, scene.said.append)] == [False, True]
    assert scene.known.queries == []


# Before anything is built


def test_every_query_is_tried_for_the_release_that_serves(scene: Scene) -> None:
    scene.known.values = {}
    measuring.require_ready(scene.rollout, scene.canary)
    assert sorted(scene.known.queries) == sorted([ERRORS.replace(NEW, OLD), COUNT.replace(NEW, OLD), SPEED])


@pytest.mark.parametrize(
    ("prepare", "error", "told"),
    [
        (
            lambda known: known.values.update({SPEED: ["1", "2"]}),
            ConfigError,
            "the query of the metric speed is wrong",
        ),
        (lambda known: setattr(known, "down", 99), SetupError, "it answers with status 503: query timed out"),
        (lambda known: setattr(known, "token", "s3cret"), SetupError, "it answers with status 401"),
    ],
)
def test_what_could_not_be_asked_is_refused(
    scene: Scene, prepare: Callable[[Prometheus], object], error: type[Exception], told: str
) -> None:
    prepare(scene.known)
    with pytest.raises(error, match=told):
        measuring.require_ready(scene.rollout, scene.canary)


def test_a_query_that_does_not_parse_is_refused_in_the_server_s_words(
    tmp_path: Path, known: Prometheus
) -> None:
    scene = Scene(tmp_path, known, CONFIG.replace("speed{", "sum(speed{"))
    with pytest.raises(ConfigError, match=r"parse error: unclosed '\('"):
        measuring.require_ready(scene.rollout, scene.canary)


def test_a_short_fault_of_the_server_does_not_stop_a_deployment(scene: Scene) -> None:
    scene.known.down = 2
    measuring.require_ready(scene.rollout, scene.canary)


def test_steps_without_time_are_refused(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="need steps that last"):
        measuring.require_ready(scene.rollout, asked(scene.rollout.config, Canary((20,)), metrics=True))
    measuring.require_ready(scene.rollout, asked(scene.rollout.config, Canary((20,)), metrics=False))
    assert scene.known.queries == []


def test_a_first_release_needs_no_server(scene: Scene) -> None:
    scene.known.down = 99
    scene.rollout.environment = Environment("shop-live", samples.environment())
    measuring.require_ready(scene.rollout, scene.canary)


# Who asks


def test_the_headers_come_from_the_variables_that_are_named(tmp_path: Path, known: Prometheus) -> None:
    text = CONFIG + "metrics_token_env: TOKEN\nmetrics_headers_env: {X-Scope-OrgID: TENANT}\n"
    known.token = "s3cret"
    scene = Scene(tmp_path, known, text, {"TOKEN": "s3cret\n", "TENANT": "shop"})
    measuring.require_ready(scene.rollout, scene.canary)
    assert known.headers["X-Scope-OrgID"] == "shop"


def test_a_user_logs_in_with_a_password(tmp_path: Path, known: Prometheus) -> None:
    text = CONFIG + "metrics_user: ann\nmetrics_password_env: PASSWORD\n"
    scene = Scene(tmp_path, known, text, {"PASSWORD": "pw"})
    measuring.require_ready(scene.rollout, scene.canary)
    assert known.headers["Authorization"] == "Basic YW5uOnB3"


def test_certificates_that_are_not_there_are_told_of(tmp_path: Path, known: Prometheus) -> None:
    with pytest.raises(SetupError, match="certificates of the metrics server are not there"):
        Scene(tmp_path, known, CONFIG + "metrics_ca: no/such.pem\n")
