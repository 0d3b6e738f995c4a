from __future__ import annotations

from pathlib import Path

from curtainup.config import ServiceConfig
from curtainup.config.canary_metrics import CanaryMetric
from curtainup.environments import metrics_server

METRICS = (CanaryMetric(query="up", at_most=1),)


def test_cloud_monitoring_is_asked_as_the_deployer_with_a_fresh_token_each_time(tmp_path: Path) -> None:
    """A token of Google lasts an hour, and a canary may last longer."""
    config = ServiceConfig(name="shop", canary_metrics=METRICS, metrics_project="my-project")
    tokens = iter(["first", "second"])
    server = metrics_server.of(config, tmp_path, str, lambda: next(tokens))
    assert server.url == "https://monitoring.googleapis.com/v1/projects/my-project/location/global/prometheus"
    assert [server.headers(), server.headers()] == [
        {"Authorization": "Bearer first"},
        {"Authorization": "Bearer second"},
    ]


def test_a_server_without_a_login_is_asked_without_one(tmp_path: Path) -> None:
    config = ServiceConfig(name="shop", canary_metrics=METRICS, metrics_url="https://x")
    server = metrics_server.of(config, tmp_path, str, str)
    assert (server.url, server.headers(), server.ca) == ("https://x", {}, None)
