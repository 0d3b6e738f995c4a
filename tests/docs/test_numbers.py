"""The numbers that the manual promises are those of the code."""

from __future__ import annotations

import pytest

from components.beanstalk import ecr
from components.cloud_run import artifact_registry
from components.docker.docker_host import PROXY_MEMORY_MB
from curtainup.config import docker, review
from curtainup.config.reading import source
from curtainup.engine import operations
from curtainup.engine.provider.traffic import PROXY_PIDS
from curtainup.gates import health
from curtainup.images import builds
from curtainup.pipeline import canary
from curtainup.pipeline.run import heartbeat
from curtainup.reporting.review.post import PATIENCE, TRIES
from curtainup.setup import installer
from curtainup.setup.base_images import images
from curtainup.targets.beanstalk import tasks
from curtainup.util import line_log, process
from tests import docs_pages

TOLD = {
    "SECURITY.md": [
        f"keeps {process.LONGEST_LINE >> 10} KiB of a line, and {line_log.MOST >> 20} MiB of a log",
        f"has at most {source.MAX_BYTES >> 10} KiB",
    ],
    "docs/architecture.md": [f"gives none for {heartbeat.PATIENCE:g} seconds"],
    "docs/commands/deploy.md": [f"runs a command every {canary.PERIOD:g} seconds"],
    "docs/proxy.md": [
        f"up to {docker.HEADER_LIMIT} KiB together",
        f"{PROXY_MEMORY_MB} MiB of memory and at most {PROXY_PIDS} processes",
    ],
    "docs/review-environments.md": [
        f"up to {review.LONGEST_ENVIRONMENT - len(review.PREFIX)} lower-case letters",
        f"ECR the newest {ecr.KEPT:,}",
        f"Artifact Registry the newest {artifact_registry.KEPT:,}",
        f"remembers the last {builds.KEPT} builds",
    ],
    "docs/setup.md": [
        f"waits {installer.CONNECT_LIMIT:g} seconds for Pulumi's installer",
        f"and {images.REACH_LIMIT} seconds for a registry",
    ],
    "docs/tasks.md": [f"the first {tasks.MOST_OUTPUT:,} characters"],
    "docs/troubleshooting.md": [f"gave the same answer for {health.LASTING:g} seconds"],
}
IN_WORDS = {
    ("docs/architecture.md", "The driver waits a minute for such a lock"): operations.LOCK_PATIENCE == 60,
    ("docs/preview.md", "curtainup tries four times within seconds"): TRIES == 4,
    ("docs/preview.md", "no more than two and a half minutes in all"): PATIENCE == 150,
}


def text_of(page: str) -> str:
    return " ".join((docs_pages.ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "words"), [(page, one) for page, told in TOLD.items() for one in told])
def test_a_number_is_the_one_of_the_code(page: str, words: str) -> None:
    assert words in text_of(page)


@pytest.mark.parametrize(("page", "words"), IN_WORDS)
def test_a_number_in_words_is_the_one_of_the_code(page: str, words: str) -> None:
    assert words in text_of(page)
    assert IN_WORDS[page, words]
