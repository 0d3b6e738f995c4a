"""A preview as a comment, from the job of a pull request: written once, then edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service
from tests.reporting.review.conftest import github
from tests.reporting.review.github_server import GitHubServer
from tests.reporting.review.servers import Server, serving

MATRIX = pytest.mark.matrix(reason="test_the_next_one_takes_its_place shows the comment once")


@pytest.fixture(scope="module")
def host() -> Iterator[Server]:
    with serving(GitHubServer()) as server:
        server.seed("Looks good to me")
        yield server


@pytest.fixture
def job(host: Server) -> dict[str, str]:
    return {**github(host), "NO_PROXY": "127.0.0.1"}


def version(service: Service) -> str:
    """What a preview of the present commit calls its version: the commit is in it."""
    return service.git("rev-parse", "--short=7", "HEAD").strip()


def test_the_first_preview_is_posted(service: Service, host: Server, job: dict[str, str]) -> None:
    done = service.run("preview", "--post", code=2, env=job)

    _, comment = host.texts()
    assert comment.startswith(f"<!-- curtainup preview: {service.name} -->\n\n### What deploying")
    assert f"| `{service.name}-live` | **" in comment
    assert version(service) in comment
    assert service.environ["HELLO_SECRET"] not in comment
    assert f"{service.name}-live: " in done.out
    assert "comment created: https://github.example/octo/web/pull/7#issuecomment-" in done.err


def test_the_next_one_takes_its_place(service: Service, host: Server, job: dict[str, str]) -> None:
    before = version(service)
    service.greet("second")

    done = service.run("preview", "--post", "--markdown", code=2, env=job)

    assert len(host.notes) == 2
    comment = host.texts()[1]
    assert version(service) in comment
    assert before not in comment
    assert comment.endswith(f"\n\n{done.out.strip()}"), "a short preview is the same everywhere"
    assert "comment updated" in done.err


@MATRIX
def test_json_stays_json(service: Service, host: Server, job: dict[str, str]) -> None:
    found = service.run("preview", "--post", "--json", code=2, env=job).json()

    assert [one["stack"] for one in found] == [
        f"{service.name}-{kind}" for kind in ("image", "staging", "live")
    ]
    assert len(host.notes) == 2


@MATRIX
def test_without_rights_the_preview_is_printed_and_in_the_jobs_summary(
    service: Service, host: Server, job: dict[str, str], tmp_path: Path
) -> None:
    before, summary = host.texts(), tmp_path / "summary.md"
    host.may_write = False

    done = service.run("preview", "--post", code=24, env={**job, "GITHUB_STEP_SUMMARY": str(summary)})

    assert f"{service.name}-live: " in done.out
    assert "the token may not comment on pull request 7 of octo/web" in done.err
    assert "pull-requests: write" in done.err
    assert summary.read_text().startswith("### What deploying")
    assert host.texts() == before
    assert job["GITHUB_TOKEN"] not in done.out + done.err


@MATRIX
def test_outside_of_ci_the_preview_is_printed_all_the_same(service: Service) -> None:
    done = service.run("preview", "--post", code=24, env={"GITHUB_ACTIONS": None})

    assert f"{service.name}-live: " in done.out
    assert "this is not a CI job of GitHub, GitLab, Bitbucket" in done.err


@MATRIX
def test_two_formats_are_refused(service: Service) -> None:
    assert "not both" in service.run("preview", "--json", "--markdown", code=2).err


def test_nothing_was_deployed_by_any_of_this(service: Service) -> None:
    assert service.updates() == []
    assert service.host.everything() == []
