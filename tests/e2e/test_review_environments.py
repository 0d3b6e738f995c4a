"""A branch in an environment of its own, beside staging and live, until it is destroyed or swept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.pipeline.run import lock
from tests.e2e.service import Service
from tests.e2e.test_settings import overlay
from tests.reporting.review.conftest import github
from tests.reporting.review.github_server import GitHubServer
from tests.reporting.review.servers import Server, serving

MATRIX = pytest.mark.matrix(
    reason="test_a_branch_gets_an_environment_and_staging_and_live_stay_as_they_are shows it once"
)

WEEKS = 15 * 86400


@pytest.fixture(scope="module")
def host() -> Iterator[Server]:
    with serving(GitHubServer()) as server:
        yield server


@pytest.fixture
def job(host: Server) -> dict[str, str]:
    return {**github(host), "NO_PROXY": "127.0.0.1"}


def others(service: Service) -> dict[str, list[str]]:
    """What staging and live are made of: their containers, and every change of their stacks."""
    updates = [one for one in service.updates() if "-review-" not in Path(one).parent.name]
    environments = [one for one in updates if not Path(one).parent.name.endswith("-image")]
    return {
        "containers": [*service.host.containers("staging"), *service.host.containers("live")],
        "updates": environments,
    }


def aged(service: Service, name: str) -> None:
    """Have an environment look as if it was deployed weeks ago, in the history that Pulumi keeps."""
    folder = service.state_folder / ".pulumi" / "history" / "curtainup" / f"{service.name}-{name}"
    for file in folder.glob("*.history.json"):
        entry = json.loads(file.read_text())
        entry |= {key: entry[key] - WEEKS for key in ("startTime", "endTime")}
        file.write_text(json.dumps(entry))


def swept(service: Service, *arguments: str, code: int = 0) -> dict[str, str]:
    found = service.run("sweep", "--json", *arguments, code=code).json()
    return {one["environment"]: one["outcome"] for one in found}


def test_a_name_that_cannot_be_is_refused_with_one_that_would_do(service: Service) -> None:
    before = service.updates()

    done = service.run("deploy", "--env", "review-feature/x", code=23)

    assert "--env review-feature-x" in done.err
    assert service.updates() == before


@MATRIX
def test_what_goes_with_live_does_not_go_with_a_review(service: Service) -> None:
    for arguments in (("--env", "review-7", "--hold"), ("--post",)):
        assert "--env" in service.run("deploy", *arguments, code=2).err


def test_a_branch_gets_an_environment_and_staging_and_live_stay_as_they_are(deployed: Service) -> None:
    before = others(deployed)
    deployed.git("switch", "--quiet", "--create", "feature")
    deployed.greet("Hello from the branch")

    done = deployed.deploy("--env", "review-7", "--json").json()

    answer = deployed.get("review-7").json()
    assert (answer["says"], answer["environment"]) == ("Hello from the branch", f"{deployed.name}-review-7")
    assert done["url"] == deployed.url("review-7")
    assert (done["environment"], done["changed"], done["ttl"]) == ("review-7", True, 7 * 86400)
    assert deployed.serving("review-7") == done["release"]
    assert deployed.proved() == ["local", "review-7"]
    assert others(deployed) == before
    assert deployed.get("live").json().get("says") != "Hello from the branch"


def test_it_is_listed_and_tested_like_the_others(deployed: Service) -> None:
    assert deployed.status("review-7")["url"] == deployed.url("review-7")
    history = deployed.run("history", "--json").json()
    assert "review-7" in {one["environment"] for one in history}
    deployed.run("test", "--env", "review-7")


@MATRIX
def test_with_an_unchanged_source_nothing_moves_and_its_time_begins_anew(deployed: Service) -> None:
    containers, serving_now = deployed.host.containers(), deployed.serving("review-7")
    aged(deployed, "review-7")
    assert swept(deployed, "--dry-run") == {"review-7": "expired"}

    done = deployed.deploy("--env", "review-7", "--json").json()

    assert (done["changed"], done["release"]) == (False, serving_now)
    assert deployed.host.containers() == containers
    assert swept(deployed, "--dry-run") == {"review-7": "stays"}


@MATRIX
def test_a_branch_does_not_take_the_registry_of_staging_and_live_along(deployed: Service) -> None:
    overlay(deployed, "moved", docker_repo="registry.example/team")
    before = deployed.updates()

    done = deployed.deploy("--config", "moved", "--env", "review-7", code=23)

    assert f"delete Volume {deployed.name}-registry-volume" in done.err
    assert deployed.updates() == before


@MATRIX
def test_a_failed_gate_puts_back_what_was_there(deployed: Service) -> None:
    containers, serving_now = deployed.host.containers("review-7"), deployed.serving("review-7")
    deployed.greet("Broken")

    done = deployed.deploy("--env", "review-7", code=11, fail_at="review-7")

    assert "acceptance tests on review-7 failed" in done.err
    assert "review-7 is put back; staging and live are untouched" in done.err
    assert deployed.serving("review-7") == serving_now
    assert deployed.host.containers("review-7") == containers


@MATRIX
def test_the_next_deployment_takes_its_place_though_its_comment_is_refused(
    deployed: Service, host: Server, job: dict[str, str]
) -> None:
    before, address = others(deployed), deployed.url("review-7")

    host.may_write = False
    done = deployed.deploy("--env", "review-7", "--post", code=24, env=job)
    host.may_write = True

    assert "the token may not comment on pull request 7 of octo/web" in done.err
    assert host.texts() == []
    assert done.out == f"{address}\n", "what a script reads is told all the same"
    assert deployed.get("review-7").json()["says"] == "Broken"
    assert deployed.url("review-7") == address
    assert sorted(deployed.traffic("review-7").values()) == [0, 100]
    assert others(deployed) == before


def test_live_is_as_unchanged_as_before_although_something_else_was_built_since(deployed: Service) -> None:
    deployed.git("switch", "--quiet", "-")
    before = others(deployed)

    done = deployed.deploy("--json").json()

    assert done["changed"] is False
    assert others(deployed) == before


def test_a_second_one_gets_a_port_of_its_own_and_comments_its_address(
    deployed: Service, host: Server, job: dict[str, str]
) -> None:
    deployed.run("preview", "--post", env=job)

    done = deployed.deploy("--env", "review-9", "--post", env=job)

    addresses = {deployed.url(name) for name in ("staging", "live", "review-7", "review-9")}
    assert len(addresses) == 4
    (comment,) = host.texts()
    assert f"serves at {deployed.url('review-9')}, and has passed its acceptance tests" in comment
    assert "is removed 7d after its last deployment" in comment
    assert f"What deploying `{deployed.name}` would change" in comment, "the preview stays"
    assert "comment updated" in done.err


@MATRIX
def test_a_failure_is_commented_too(deployed: Service, host: Server, job: dict[str, str]) -> None:
    deployed.greet("Broken again")

    deployed.deploy("--env", "review-9", "--post", code=9, fail_at="local", env=job)

    (comment,) = host.texts()
    assert "The deployment to `review-9` failed" in comment
    assert "acceptance tests on local failed" in comment
    assert deployed.get("review-9").json().get("says") != "Broken again"


def test_a_sweep_says_what_it_would_remove_and_without_a_terminal_needs_to_be_told(deployed: Service) -> None:
    aged(deployed, "review-7")
    containers = deployed.host.containers()

    done = deployed.run("sweep", code=23)

    first, second = done.out.splitlines()
    assert first.startswith(f"{deployed.name} review-7")
    assert first.endswith("expired: its time to live, 7d, is over")
    assert "stays: its time to live, 7d, is over in 6d23h" in second
    assert "--yes" in done.err
    assert swept(deployed, "--dry-run") == {"review-7": "expired", "review-9": "stays"}
    assert deployed.host.containers() == containers


@MATRIX
def test_a_sweep_leaves_alone_what_another_run_is_at_work_on(deployed: Service) -> None:
    with lock.held(deployed.home / "data" / "curtainup" / "locks", deployed.name):
        assert swept(deployed, "--yes") == {"review-7": "skipped", "review-9": "stays"}

    assert deployed.host.containers("review-7")


def test_a_sweep_removes_what_has_expired_and_nothing_else(deployed: Service) -> None:
    before, kept = others(deployed), deployed.host.containers("review-9")

    assert swept(deployed, "--yes") == {"review-7": "removed", "review-9": "stays"}

    assert deployed.host.containers("review-7") == []
    assert f"{deployed.name}-review-7" not in deployed.state.stacks()
    assert deployed.host.containers("review-9") == kept
    assert others(deployed) == before
    assert swept(deployed, "--yes") == {"review-9": "stays"}, "again, with nothing to do"


def test_destroying_one_leaves_nothing_of_it_and_everything_else(
    deployed: Service, host: Server, job: dict[str, str]
) -> None:
    before = others(deployed)

    deployed.run("destroy", "--env", "review-9", "--post", env=job)

    assert [one for one in deployed.host.everything() if "review" in one] == []
    assert deployed.state.stacks() == [f"{deployed.name}-{name}" for name in ("image", "live", "staging")]
    assert others(deployed) == before
    (comment,) = host.texts()
    assert "`review-9` was removed" in comment
    deployed.run("destroy", "--env", "review-9")


@MATRIX
def test_what_a_review_has_proven_is_not_built_again_for_live(deployed: Service) -> None:
    deployed.deploy("--env", "review-7")

    deployed.deploy()

    steps = {step.name: step.outcome for step in deployed.last_run().steps}
    assert steps["build"] == "skipped"
    assert deployed.get("live").json()["says"] == "Broken again"
