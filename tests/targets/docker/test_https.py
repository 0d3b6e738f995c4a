"""What an environment behind the door asks of it; tests/e2e/test_https.py shows it on a real Docker host."""

from __future__ import annotations

from curtainup.config import ServiceConfig
from curtainup.targets.docker.target import runtime


def test_a_release_believes_what_the_proxy_says_of_https() -> None:
    config = ServiceConfig(name="shop", env={"A": "b"}).for_environment("live")
    assert runtime(config, https=True).env == {"FORWARDED_ALLOW_IPS": "*", "A": "b"}
    assert runtime(config).env == {"A": "b"}


def test_the_service_may_know_better() -> None:
    config = ServiceConfig(name="shop", env={"FORWARDED_ALLOW_IPS": "10.0.0.1"}).for_environment("live")
    assert runtime(config, https=True).env == {"FORWARDED_ALLOW_IPS": "10.0.0.1"}
