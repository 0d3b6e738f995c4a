"""The life of a service that does everything right: first, unchanged, second and third deployment."""

from __future__ import annotations

import json

from tests.e2e.load import users
from tests.e2e.service import Service

GATES = ["local", "staging", "candidate", "live"]


def test_a_first_deployment_ends_with_the_url_of_live(service: Service) -> None:
    done = service.deploy()

    assert done.out == f"{service.url('live')}\n", "the URL is all that standard output holds"
    assert service.get("live").json()["greeting"] == "Hello!"
    assert "live-gate" in done.err


def test_every_environment_names_the_release_that_answers(service: Service) -> None:
    for environment in ("staging", "live"):
        [only] = service.traffic(environment)
        assert service.serving(environment) == only
        assert service.get(environment).json()["environment"] == f"{service.name}-{environment}"


def test_all_gates_were_passed_by_the_very_image_that_serves(service: Service) -> None:
    record = service.last_run()

    assert service.proved() == GATES
    assert record.image is not None
    assert {proof.digest for proof in record.proofs} == {record.image.digest}
    [release] = service.status("live")["releases"]
    assert release["image"].endswith(record.image.digest)
    assert [suite.name for suite in record.suites] == ["unit", *GATES]
    assert all(suite.passed and suite.tests for suite in record.suites)
    assert record.result is not None
    assert (record.result.outcome, record.result.exit_code) == ("live", 0)


def test_each_gate_left_its_junit_report(service: Service) -> None:
    for suite in service.last_run().suites:
        assert suite.junit is not None
        assert "<testsuite" in (service.last_run_folder() / suite.junit).read_text()


def test_the_image_says_where_it_is_from(service: Service) -> None:
    [image] = service.host.images()
    labels = service.host.client.images.get(image).labels

    assert labels["org.opencontainers.image.revision"] == service.git("rev-parse", "HEAD").strip()
    assert labels["org.opencontainers.image.version"] == service.last_run().version


def test_with_one_release_there_is_nothing_to_go_back_to(service: Service) -> None:
    before = service.traffic("live")

    done = service.run("rollback", code=19)

    assert "no older release is kept" in done.err
    assert service.traffic("live") == before


def test_an_unchanged_service_is_left_alone(service: Service) -> None:
    updates, containers = service.updates(), service.host.containers()

    done = service.deploy("--json")

    assert done.json()["changed"] is False
    assert "unchanged" in done.err
    assert service.updates() == updates, "no update was made of any stack"
    assert service.host.containers() == containers
    record = service.last_run()
    assert record.steps == ()
    assert record.result is not None
    assert record.result.outcome == "unchanged"


def test_a_changed_line_goes_live_without_a_failed_request(service: Service) -> None:
    [old] = service.traffic("live")
    service.greet("second")

    with users(service.url("live")) as answers:
        done = service.deploy("--json")

    new = done.json()["release"]
    assert service.get("live").json()["says"] == "second"
    assert service.serving("live") == new
    assert answers.failures == []
    assert set(answers.releases) == {old, new}, "the users saw the old release and then the new one"
    assert service.traffic("live") == {old: 0, new: 100}, "the outgoing one is kept for rollback"
    assert service.host.releases("live") == {old, new}


def test_the_record_holds_the_evidence_of_a_clean_switch(service: Service) -> None:
    record = service.last_run()

    [move] = [move for move in record.traffic if move.environment == "live"]
    assert [move.outgoing, move.incoming] == list(service.traffic("live"))
    assert move.probe is not None
    probe = json.loads((service.last_run_folder() / move.probe).read_text())
    assert probe["failed"] == 0
    assert probe["total"] > 0


def test_the_version_that_answers_is_the_one_of_the_commit(service: Service) -> None:
    version = service.get("live", "/version").json()["version"]

    assert version == service.last_run().version
    assert version.endswith(service.git("rev-parse", "HEAD")[:6])


def test_the_next_deployment_drops_what_is_beyond_keep(service: Service) -> None:
    _, second = service.traffic("live")
    service.configure(keep=0)

    third = service.deploy("--json").json()["release"]

    assert service.traffic("live") == {second: 0, third: 100}, "the outgoing one stays until the next"
    assert service.host.releases("live") == {second, third}, "the first one's container is gone"
