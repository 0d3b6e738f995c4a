"""A canary that a real Prometheus judges, by what the proxy's own figures say of each release."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from tests.e2e.load import users
from tests.e2e.service import Service, session

PROMETHEUS, EXPORTER = shutil.which("prometheus"), shutil.which("prometheus-haproxy-exporter")
pytestmark = [
    pytest.mark.matrix(reason="tests/pipeline/test_measuring.py and test_paused.py show each verdict"),
    pytest.mark.skipif(
        not (PROMETHEUS and EXPORTER), reason="Debian's prometheus and its exporter are not here"
    ),
]
CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: proxy
    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]
"""
OF_RELEASE = 'haproxy_server_http_responses_total{backend="releases",server="{{release}}"'


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def measured(deployed: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service on live, with a Prometheus that scrapes its proxy, by `metrics_url`."""
    folder = tmp_path_factory.mktemp("prometheus")
    stats = str(deployed.state.read(f"{deployed.name}-live").outputs["stats_url"])
    exporter, port = _free_port(), _free_port()
    file = folder / "prometheus.yml"
    file.write_text(CONFIG.format(exporter=exporter))
    with ExitStack() as stack:
        stack.enter_context(
            running(
                str(EXPORTER),
                f"--haproxy.scrape-uri={stats}/stats;csv",
                f"--web.listen-address=127.0.0.1:{exporter}",
            )
        )
        stack.enter_context(
            running(
                str(PROMETHEUS),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            )
        )
        url = f"http://127.0.0.1:{port}"
        _await_series(url)
        deployed.configure(metrics_url=url)
        yield deployed


def _await_series(url: str) -> None:
    deadline = time.monotonic() + 60
    with session() as direct:
        while time.monotonic() < deadline:
            try:
                found = direct.get(f"{url}/api/v1/query", params={"query": "haproxy_up"}, timeout=5).json()
            except requests.RequestException:
                found = {}
            if found.get("data", {}).get("result"):
                return
            time.sleep(0.1)
    raise AssertionError("Prometheus has not scraped the proxy")


def judged_by(service: Service, *, min_samples: int, at_most: float, query: str | None = None) -> None:
    errors = f'sum(increase({OF_RELEASE},code="5xx"}}[{{{{window}}}}]))'
    count = f"sum(increase({OF_RELEASE}}}[{{{{window}}}}]))"
    metric = {
        "name": "errors",
        "query": query or f"{errors} / {count}",
        "at_most": at_most,
        "samples": count,
        "min_samples": min_samples,
    }
    live = {"canary": [20, 50], "canary_every": "8s", "canary_metrics": [metric]}
    service.configure(environments={"live": live})


def carrying(service: Service) -> dict[str, int]:
    return {one: share for one, share in service.traffic("live").items() if share}


def test_good_values_let_it_through_and_are_recorded(measured: Service) -> None:
    judged_by(measured, min_samples=5, at_most=0.01)
    measured.greet("measured")
    with users(measured.url("live")) as answers:
        new = measured.deploy("--json").json()["release"]
    assert answers.failures == []
    assert carrying(measured) == {new: 100}
    found = measured.last_run().metrics
    assert [(one.share, one.verdict) for one in found] == [(20, "passed"), (50, "passed")]
    assert all((one.samples or 0) >= 5 and one.value == 0 for one in found)


def test_a_bad_value_puts_traffic_back(measured: Service) -> None:
    before = carrying(measured)
    judged_by(measured, min_samples=5, at_most=1, query=f"sum(increase({OF_RELEASE}}}[{{{{window}}}}]))")
    measured.greet("bad by a metric")
    with users(measured.url("live")) as answers:
        done = measured.deploy(code=13)
    assert answers.failures == []
    assert "the metric errors is bad at 20 %" in done.err
    assert carrying(measured) == before
    assert measured.last_run().metrics[-1].verdict == "failed"


def test_too_few_samples_pause_it_until_somebody_decides(measured: Service) -> None:
    [old] = carrying(measured)
    judged_by(measured, min_samples=1_000_000, at_most=0.01)
    measured.greet("too little is known")
    with users(measured.url("live")) as answers:
        done = measured.deploy(code=36)
        assert "the canary is paused at 20 %, because errors says too little" in done.err
        [new] = set(carrying(measured)) - {old}
        assert carrying(measured) == {old: 80, new: 20}
        status = {one["id"]: one for one in measured.status("live")["releases"]}
        assert status[new]["held"]
        assert "canary, paused" in measured.run("status").out

        measured.greet("another one")
        refused = measured.deploy(code=23)
        assert f"({new}) has 20 % of live's traffic, as its canary is paused" in refused.err

        again = measured.run("promote", code=36)
        assert "the canary is paused at 50 %" in again.err
        assert carrying(measured) == {old: 50, new: 50}
        assert measured.run("promote", "--no-metrics", "--json").json()["release"] == new
    assert answers.failures == []
    assert carrying(measured) == {new: 100}
    assert measured.last_run().metrics == ()


@pytest.mark.parametrize(
    "command", [("rollback",), ("promote", "--discard"), ("deploy", "--replace-candidate")]
)
def test_a_paused_canary_is_taken_back(measured: Service, command: tuple[str, ...]) -> None:
    [old] = carrying(measured)
    judged_by(measured, min_samples=1_000_000, at_most=0.01)
    measured.greet(f"taken back by {command[-1]}")
    with users(measured.url("live")) as answers:
        measured.deploy(code=36)
        if command[0] == "deploy":
            measured.greet("in its place")
            judged_by(measured, min_samples=1, at_most=0.01)
        measured.run(*command)
    assert answers.failures == []
    assert (carrying(measured) == {old: 100}) == (command[0] != "deploy")
    assert len(carrying(measured)) == 1


def test_a_server_that_is_away_and_a_wrong_query_stop_it_before_anything_is_built(measured: Service) -> None:
    judged_by(measured, min_samples=5, at_most=0.01, query="sum(up")
    measured.greet("not asked")
    updates = measured.updates()
    assert "the query of the metric errors is wrong" in measured.deploy(code=3).err
    url = measured.config["metrics_url"]
    measured.configure(metrics_url="http://127.0.0.1:1")
    assert "the metrics server cannot be asked: it does not answer" in measured.deploy(code=5).err
    measured.configure(metrics_url=url)
    assert measured.updates() == updates
