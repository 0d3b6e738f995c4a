"""Judges a release by metrics at each step of a canary.

A value that breaks its threshold returns the traffic. A value that does not count (too few samples, no
answer, no number) never passes: the canary pauses. Argo Rollouts has the same three verdicts, and Flagger the
same range.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from curtainup.config.canary_metrics import CanaryMetric, filled
from curtainup.environments.rollout import Rollout
from curtainup.errors import CanaryPaused, ConfigError, RefusedError, SetupError, TrafficReturned
from curtainup.model.measured import Measured, Verdict
from curtainup.model.release import Release
from curtainup.pipeline.canary import Canary

if TYPE_CHECKING:
    from curtainup.platforms.prometheus import Reading, Server

EVERY = 30.0
"""Seconds between two looks during a step, at the metrics whose samples are counted."""
PATIENCE = 60.0
"""For how many seconds after a step's end a server that does not answer is asked again."""
TRIES, PAUSE = 3, 2.0
"""How often a query is tried before anything is built, and seconds between two tries."""
AT_ONCE = 8
"""How many metrics are asked for at the same time."""
NOTHING_DONE = "nothing was built or changed"

Tell = Callable[[int, Measured], None]


class Measuring:
    """Asks for the metrics of a release while a canary lasts."""

    def __init__(
        self, rollout: Rollout, canary: Canary, incoming: str, outgoing: str | None, tell: Tell
    ) -> None:
        """Prepare to judge.

        Args:
            rollout: the environment.
            canary: the metrics, and how long a step lasts.
            incoming: the id of the new release.
            outgoing: the id of the release that served before; None judges nothing.
            tell: told of each verdict that counts, with the share of traffic.

        """
        self._rollout = rollout
        self._metrics = canary.metrics if outgoing and canary.shares else ()
        self._server = rollout.metrics_server if self._metrics else None
        self._incoming, self._outgoing = incoming, outgoing or ""
        self._may_ask_again = canary.may_ask_again
        self._tell = tell
        self._share, self._since, self._next = 0, 0.0, 0.0

    def begin(self, share: int) -> None:
        """Take note that the release has another share of the traffic from now on."""
        self._share, self._since = share, time.time()
        self._next = time.monotonic() + EVERY

    def is_over(self, left: float, say: Callable[[str], None]) -> bool:
        """Judge the release if that is due; return whether the canary may go on to its next step.

        Args:
            left: for how many seconds the step still lasts; negative after its end.
            say: told of the values, and what is waited for.

        Raises:
            TrafficReturned: a value breaks its threshold.
            CanaryPaused: at the end of the step, a value does not count.

        """
        if self._server is None:
            return left <= 0
        if left > 0:
            self._look(say)
            return False
        found = self._ask(self._server, self._metrics)
        waited_for = [one for one in found if one.again]
        if waited_for and -left < PATIENCE and not _failed(found):
            say(f"asking again: {'; '.join(map(str, waited_for))}")
            return False
        self._note(found)
        self._require_good(found)
        self._require_conclusive(found)
        say(f"metrics passed: {'; '.join(map(str, found))}")
        return True

    def _look(self, say: Callable[[str], None]) -> None:
        """See during a step whether a metric with enough samples is bad already."""
        counted = [one for one in self._metrics if one.samples is not None]
        if self._server is None or not counted or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        found = self._ask(self._server, counted)
        say(f"metrics until now: {'; '.join(map(str, found))}")
        if _failed(found):
            self._note(found)
        self._require_good(found)

    def _ask(self, server: Server, metrics: Sequence[CanaryMetric]) -> list[Measured]:
        deployment = self._rollout.deployment
        seconds = max(1, round(time.time() - self._since))
        values = _values(self._rollout, deployment.find(self._incoming), seconds, self._outgoing)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda one: measured(server, one, values), metrics))

    def _note(self, found: Iterable[Measured]) -> None:
        for one in found:
            self._tell(self._share, one)

    def _require_good(self, found: Sequence[Measured]) -> None:
        bad = _failed(found)
        if bad:
            raise TrafficReturned(
                f"the metric {bad[0].name} is bad at {self._share} %: {bad[0].why}",
                where=self._rollout.url,
                consequence="live is put back to what it was before",
                fix="fix the new release, or the threshold in canary_metrics, and deploy again",
                detail="\n".join(map(str, found)),
            )

    def _require_conclusive(self, found: Sequence[Measured]) -> None:
        unclear = [one for one in found if one.verdict == "inconclusive"]
        if unclear:
            raise CanaryPaused(
                f"the canary is paused at {self._share} %, because {unclear[0].name} says too little: "
                f"{unclear[0].why}",
                where=self._rollout.url,
                consequence=f"{self._incoming} keeps {self._share} % of the traffic, and {self._outgoing} "
                "the rest",
                fix="go on with the next step: curtainup promote; "
                + ("ask again at this step: curtainup deploy; " if self._may_ask_again else "")
                + "take the traffic back: curtainup rollback",
                detail="\n".join(map(str, found)),
            )


def require_ready(rollout: Rollout, canary: Canary) -> None:
    """Try every query of a canary before anything is built, for the release that serves now.

    It judges nothing. No data is no mistake yet. Where no release serves, or traffic does not move in steps,
    nobody will ask, and nothing is tried.

    Raises:
        RefusedError: the steps of the canary last for no time.
        ConfigError: the server refuses a query, or a query gives what is no number.
        SetupError: the server does not answer, or refuses whoever asks.

    """
    serving = rollout.deployment.serving()
    if serving is None or not canary.shares or not canary.metrics:
        return
    if not canary.every:
        raise RefusedError(
            "canary_metrics need steps that last",
            where="--canary",
            consequence=NOTHING_DONE,
            fix="add --every 5m, or --no-metrics",
        )
    values = _values(rollout, serving, round(canary.every), serving.id)
    try_queries(rollout.metrics_server, canary.metrics, values)


def try_queries(server: Server, metrics: Iterable[CanaryMetric], values: dict[str, str]) -> None:
    """Ask every query once; see `require_ready` for what it raises."""
    queries = [(one.name, text) for one in metrics for text in (one.samples, one.query) if text]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        readings = pool.map(lambda pair: _tried(server, filled(pair[1], values)), queries)
        for (name, query), found in zip(queries, readings, strict=True):
            _require_asked(server, name, filled(query, values), found)


def _tried(server: Server, query: str) -> Reading:
    for _ in range(TRIES - 1):
        found = server.ask(query)
        if not found.again:
            return found
        time.sleep(PAUSE)
    return server.ask(query)


def _require_asked(server: Server, name: str, query: str, found: Reading) -> None:
    if found.is_bad_query:
        raise ConfigError(
            f"the query of the metric {name} is wrong: {found.trouble}",
            where=query,
            consequence=NOTHING_DONE,
            fix="correct it in canary_metrics, in pym-config.yaml; docs/canary.md has examples",
        )
    if found.again or found.is_refused:
        raise SetupError(
            f"the metrics server cannot be asked: {found.trouble}",
            where=server.url,
            consequence=NOTHING_DONE,
            fix="see to the server, or to the metrics_ keys in pym-config.yaml, or deploy with --no-metrics",
        )


def measured(server: Server, metric: CanaryMetric, values: dict[str, str]) -> Measured:
    """Ask for a metric once, and return what its value means."""
    counted = server.ask(filled(metric.samples, values)) if metric.samples is not None else None
    found = server.ask(filled(metric.query, values))
    samples = counted.value if counted is not None else None
    again = found.again or (counted is not None and counted.again)
    verdict, why = _verdict(metric, found, counted)
    return Measured(metric.name, verdict, found.value, samples, _limits(metric), why, again=again)


def _verdict(metric: CanaryMetric, found: Reading, counted: Reading | None) -> tuple[Verdict, str]:
    if counted is not None and counted.value is None:
        return "inconclusive", f"its samples are not counted: {counted.trouble}"
    if counted is not None and (counted.value or 0) < (metric.min_samples or 1):
        return "inconclusive", f"{counted.value:,.4g} of {metric.min_samples:,} samples"
    if found.value is None:
        return "inconclusive", found.trouble
    if metric.at_most is not None and found.value > metric.at_most:
        return "failed", f"{found.value:.4g} is above {metric.at_most:g}"
    if metric.at_least is not None and found.value < metric.at_least:
        return "failed", f"{found.value:.4g} is below {metric.at_least:g}"
    return "passed", ""


def _limits(metric: CanaryMetric) -> str:
    least = f"at least {metric.at_least:g}" if metric.at_least is not None else ""
    most = f"at most {metric.at_most:g}" if metric.at_most is not None else ""
    return " and ".join(part for part in (least, most) if part)


def _failed(found: Iterable[Measured]) -> list[Measured]:
    return [one for one in found if one.verdict == "failed"]


def _values(rollout: Rollout, release: Release | None, seconds: int, before: str) -> dict[str, str]:
    """Return what stands for each placeholder of a query."""
    return {
        "release": release.id if release else "",
        "version": release.version if release else "",
        "before": before,
        "service": rollout.config.service,
        "environment": rollout.name,
        "window": f"{seconds}s",
        "since": str(round(time.time()) - seconds),
    }
