from __future__ import annotations

import re

import pytest

from curtainup.config import cloud_run_limits as limits
from curtainup.config.cloud_run import CloudRunKeys
from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS
from curtainup.model.release import release_id
from tests import samples


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "concurrency"),
    [
        (0.08, 512, 1),
        (0.5, 1024, 1),
        (0.999, 1024, 1),
        (1, 128, 80),
        (1, 4096, 1000),
        (2, 8192, 80),
        (4, 2048, 80),
        (6, 24576, 80),
        (8, 32768, 80),
    ],
)
def test_sizes_that_cloud_run_has(cpus: float, memory_mb: int, concurrency: int) -> None:
    assert limits.size(cpus, memory_mb, concurrency) is None


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "concurrency", "key"),
    [
        (0.07, 128, 1, "cpus"),
        (0.1234, 128, 1, "cpus"),
        (1.5, 512, 80, "cpus"),
        (3, 4096, 80, "cpus"),
        (16, 32768, 80, "cpus"),
        (0.499, 513, 1, "gcp_memory"),
        (0.5, 1025, 1, "gcp_memory"),
        (1, 127, 80, "gcp_memory"),
        (1, 4097, 80, "gcp_memory"),
        (4, 2047, 80, "gcp_memory"),
        (8, 32769, 80, "gcp_memory"),
        (0.5, 512, 2, "gcp_request_concurrency"),
    ],
)
def test_a_size_that_cloud_run_has_not_names_the_key(
    cpus: float, memory_mb: int, concurrency: int, key: str
) -> None:
    refusal = limits.size(cpus, memory_mb, concurrency)
    assert refusal is not None
    assert refusal.key == key


@pytest.mark.parametrize("name", ["a", "shop-live", "a" * 38])
def test_names_of_services(name: str) -> None:
    assert limits.service_name(name) is None


@pytest.mark.parametrize("name", ["", "a" * 39, "1a", "-a", "a-", "A", "a_b", "a.b", "ä"])
def test_names_that_no_service_can_have(name: str) -> None:
    refusal = limits.service_name(name)
    assert refusal is not None
    assert refusal.key == "name"


def test_the_tag_that_there_is_room_for_is_a_releases_id() -> None:
    assert len(release_id("registry/shop@sha256:0", samples.release(1).settings, "")) == limits.TAG_LENGTH


def test_every_region_can_be_written() -> None:
    assert len(set(CLOUD_RUN_REGIONS)) == len(CLOUD_RUN_REGIONS)
    assert all(re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", region) for region in CLOUD_RUN_REGIONS)
    for region in CLOUD_RUN_REGIONS:
        assert CloudRunKeys(gcp_region=region).gcp_region == region
