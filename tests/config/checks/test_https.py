from __future__ import annotations

import pytest

from tests.config.conftest import Service

BOTH = "name: hello\nhttps: true\nlive_host: Shop.example.com\nstaging_host: staging.example.com\n"


def test_live_and_staging_have_their_own_hosts_and_others_none(service: Service) -> None:
    config = service.load(BOTH)
    assert config.https_host("live") == "shop.example.com"
    assert config.https_host("staging") == "staging.example.com"
    assert config.https_host("review-7") is None
    assert service.warnings == []


def test_requests_that_judge_a_release_say_that_they_come_over_https(service: Service) -> None:
    assert service.load(BOTH).live_url == "https://shop.example.com"


def test_without_it_all_stays_as_it_is(service: Service) -> None:
    config = service.load("name: hello\nlive_host: shop.example.com\n")
    assert config.https_host("live") is None
    assert config.live_url is None


def test_an_environment_can_stay_out_of_it(service: Service) -> None:
    config = service.load(f"{BOTH}environments: {{staging: {{https: false}}}}\n")
    assert config.https_host("live")
    assert config.https_host("staging") is None


def test_the_host_may_come_from_the_address(service: Service) -> None:
    config = service.load("name: hello\nhttps: true\nlive_url: https://shop.example.com\n")
    assert config.https_host("live") == "shop.example.com"


def test_a_cloud_has_its_own_https(service: Service) -> None:
    text = f"{BOTH}deploy_target: gcp-cloud-run\ndocker_repo: p\ngcp_region: europe-west1\n"
    assert service.load(text).https_host("live") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "live_host: is missing, and `https: true` needs it"),
        ("live_host: shop", "live_host: shop is no name that a certificate can be for"),
        ("live_host: 10.0.0.1", "live_host: 10.0.0.1 is no name that a certificate can be for"),
        ("live_host: a.test:8443", "live_host: a.test:8443 is no name that a certificate can be for"),
        ("live_host: a.test\ncertificate: A", "certificate_key: is missing, and certificate needs it"),
        ("live_url: http://localhost", "live_host: localhost is no name that a certificate can be for"),
        ("live_host: a.test\nbind: 192.0.2.1", "bind: 192.0.2.1 does not go with `https: true`"),
        ("live_host: a.test\nstaging_host: A.test", "staging_host: is the host of live too"),
    ],
)
def test_what_no_certificate_can_be_for(service: Service, text: str, told: str) -> None:
    assert told in service.problem(f"name: hello\nhttps: true\n{text}\n")
