"""Taking a service away: never live by mistake, and then to the last trace."""

from __future__ import annotations

import pytest

from curtainup.pipeline.run import past_records
from curtainup.setup import paths
from tests.e2e.service import FOLDER, Service

MATRIX = pytest.mark.matrix(reason="test_destroy_leaves_nothing shows it once")


def told_of(service: Service) -> set[str]:
    """The environments that have a history."""
    return {one["environment"] for one in service.run("history", "--json").json()}


def test_live_is_not_destroyed_without_the_services_name(deployed: Service) -> None:
    containers = deployed.host.containers()

    for arguments in ((), ("--env", "live", "--yes"), ("--confirm", "another")):
        done = deployed.run("destroy", *arguments, code=23)
        assert f"--confirm {deployed.name}" in done.err

    assert deployed.host.containers() == containers
    assert deployed.get("live").status_code == 200


def test_staging_alone_can_go(deployed: Service) -> None:
    deployed.run("destroy", "--env", "staging")

    assert deployed.host.containers("staging") == []
    assert deployed.status("staging")["url"] is None
    assert told_of(deployed) == {"live"}
    assert deployed.get("live").status_code == 200


@MATRIX
def test_after_staging_is_gone_a_deployment_brings_it_back(deployed: Service) -> None:
    deployed.deploy()
    deployed.run("destroy", "--env", "staging")
    live = deployed.serving("live")

    done = deployed.deploy("--json")

    assert deployed.get("staging").status_code == 200
    assert deployed.serving("live") == live == done.json()["release"]


def test_destroy_leaves_nothing(deployed: Service) -> None:
    assert deployed.host.everything(), "there is something to destroy"
    runs = past_records.runs(deployed.own_folder)

    deployed.run("destroy", "--confirm", deployed.name)

    assert deployed.host.everything() == []
    assert deployed.state.stacks() == []
    assert told_of(deployed) == set()
    assert past_records.runs(deployed.own_folder)[:-1] == runs, "the records of runs stay"
    assert deployed.last_run().command == "destroy"
    assert list((deployed.folder / FOLDER / "stacks").iterdir()) == []
    assert list(paths.cache_dir().glob(f"build/{deployed.name}*")) == []
    assert [path for path in deployed.state_folder.rglob("locks/**/*") if path.is_file()] == []


@MATRIX
def test_destroying_what_is_gone_is_no_error(deployed: Service) -> None:
    deployed.run("destroy", "--confirm", deployed.name)


@MATRIX
def test_destroying_the_service_takes_its_review_environments_along(deployed: Service) -> None:
    deployed.deploy()
    deployed.deploy("--env", "review-7")

    done = deployed.run("destroy", "--confirm", deployed.name)

    assert "to be removed: review-7, staging, live" in done.err
    assert deployed.host.everything() == []
    assert deployed.state.stacks() == []
