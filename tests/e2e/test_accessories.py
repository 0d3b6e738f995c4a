"""A database beside the releases: made once, reached by its name, and touched by no deployment."""

from __future__ import annotations

from typing import Any

import docker
import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from shop_demo import images
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(reason="test_an_accessory_s_data_outlives_releases shows accessories once")
SECRETS = {"POSTGRES_PASSWORD": "curtain call", "HELLO_SECRET": "open sesame"}
VISITS = """

@app.post("/visits")
def visit():
    import pg8000.native

    password = os.environ["POSTGRES_PASSWORD"]
    with pg8000.native.Connection("postgres", host="db", password=password) as database:
        database.run("CREATE TABLE IF NOT EXISTS visits (seen_by text)")
        database.run("INSERT INTO visits VALUES (:version)", version=os.environ["VERSION"])
        rows = database.run("SELECT seen_by FROM visits")
    return jsonify([one for (one,) in rows])
"""


@pytest.fixture(scope="module")
def image(docker_client: docker.DockerClient) -> str:
    return images.built(docker_client, images.POSTGRES, print)


@pytest.fixture(scope="module")
def database(image: str) -> dict[str, Any]:
    return {
        "image": image,
        "volume": "/var/lib/postgresql/data",
        "env_secrets": ["POSTGRES_PASSWORD"],
        "health": "pg_isready --username postgres",
        "backup": "pg_dump --username postgres --inserts postgres",
    }


@pytest.fixture(scope="module")
def configured(service: Service, database: dict[str, Any]) -> Service:
    """A service that needs a database, and was never deployed."""
    service.environ |= SECRETS
    service.write("server.py", (service.folder / "server.py").read_text() + VISITS)
    wanted = (service.folder / "requirements.txt").read_text()
    service.write("requirements.txt", f"{wanted}pg8000>=1.31\n")
    service.configure(accessories={"db": database}, env_secrets=list(SECRETS))
    return service


def visits(service: Service, environment: str = "live") -> list[str]:
    """Add a row to the environment's own database, and return all rows."""
    import requests

    with requests.Session() as direct:
        direct.trust_env = False
        answer = direct.post(f"{service.url(environment)}/visits", timeout=60)
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()
    return found


def container(service: Service, environment: str = "live") -> dict[str, Any]:
    return service.host.inspect(f"{service.name}-{environment}-db")


def listed(service: Service, environment: str = "live") -> dict[str, Any]:
    [found] = service.run("accessory", "list", "--env", environment, "--json").json()
    assert isinstance(found, dict)
    return found


def told(service: Service, environment: str = "live") -> dict[str, Any]:
    """What `status` says of the database."""
    [found] = service.status(environment)["accessories"]
    assert isinstance(found, dict)
    return found


@MATRIX
def test_a_preview_shows_what_would_be_made(configured: Service) -> None:
    done = configured.run("preview", code=2)
    assert f"{configured.name}-live-accessories" in done.out
    assert "db is made beside live" in done.out
    assert told(configured)["state"] == "not made"


def test_an_accessory_s_data_outlives_releases(configured: Service) -> None:
    configured.deploy()
    steps = [one.name for one in configured.last_run().steps]
    assert steps.index("live-accessories") < steps.index("build"), "before anything is built"
    first, made = visits(configured), container(configured)
    assert len(first) == 1
    assert len(visits(configured, "staging")) == 1, "staging has a database of its own"

    configured.greet("second")
    configured.deploy()

    assert "live-accessories" not in {one.name for one in configured.last_run().steps}
    before, now = visits(configured)
    assert before == first[0] != now, "another release sees the row of the one before"
    assert container(configured)["Id"] == made["Id"]
    assert container(configured)["State"]["StartedAt"] == made["State"]["StartedAt"]


@MATRIX
def test_an_unchanged_service_is_left_alone(configured: Service) -> None:
    configured.run("preview")
    stack = f"{configured.name}-live-accessories"
    configured.run("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack)
    assert "unchanged" in configured.deploy().err


@MATRIX
def test_status_shows_it_beside_the_releases(configured: Service, image: str) -> None:
    volume = f"{configured.name}-live-db"
    assert told(configured) == {
        "name": "db",
        "image": image,
        "state": "running",
        "volume": volume,
        "why": "",
    }
    said = configured.run("status").out.splitlines()
    assert f"  accessory db  running  {image}  volume {volume}" in said


@MATRIX
def test_commands_run_in_it_and_its_backup_is_whole(configured: Service) -> None:
    count = ["psql", "--username", "postgres", "--tuples-only", "--command", "SELECT count(*) FROM visits"]
    done = configured.run("accessory", "exec", "db", "--", *count)
    dump = configured.run("accessory", "backup", "db").out
    assert dump.count("INSERT INTO public.visits") == int(done.out)
    assert "PostgreSQL database dump complete" in dump
    assert "ready to accept connections" in configured.run("accessory", "logs", "db").out
    configured.run("accessory", "exec", "db", "--", "sh", "-c", "exit 3", code=3)


@MATRIX
def test_another_image_is_told_and_replaces_nothing(
    configured: Service, database: dict[str, Any], image: str, docker_client: docker.DockerClient
) -> None:
    rows, made = visits(configured), container(configured)
    docker_client.images.get(image).tag(configured.name, "another")
    another = f"{configured.name}:another"
    configured.configure(accessories={"db": {**database, "image": another}})
    try:
        done = configured.deploy()
        assert "db of live stays as it was made, with another image" in done.err
        assert container(configured)["Id"] == made["Id"]
        assert listed(configured)["changed"] == ["image"]

        done = configured.run("accessory", "up", "db", code=23)
        assert "--allow-replace" in done.err
        assert container(configured)["Id"] == made["Id"]

        configured.run("accessory", "up", "db", "--allow-replace")
        assert container(configured)["Id"] != made["Id"]
        assert container(configured)["Config"]["Image"] == another
        assert visits(configured)[:-1] == rows, "its volume stays"
        assert listed(configured)["changed"] == []
    finally:
        configured.configure(accessories={"db": database})
        configured.run("accessory", "up", "db", "--allow-replace")
        docker_client.images.remove(another)


@MATRIX
def test_one_that_is_down_is_told_before_the_build(configured: Service) -> None:
    configured.host.client.api.stop(container(configured)["Id"])
    assert (told(configured)["state"], told(configured)["healthy"]) == ("ended", None)
    configured.greet("third")
    done = configured.deploy(code=35)
    assert "db of live is not well: its container is exited" in done.err
    assert "curtainup accessory restart db --env live" in done.err
    assert "build" not in {one.name for one in configured.last_run().steps}

    configured.run("accessory", "restart", "db")
    configured.deploy()


@MATRIX
def test_one_whose_container_was_removed_comes_back_with_its_data(configured: Service) -> None:
    rows = visits(configured)
    configured.host.client.api.remove_container(container(configured)["Id"], force=True)
    configured.greet("fourth")
    assert told(configured)["state"] == "gone"
    assert "its container is gone" in configured.deploy(code=35).err

    configured.run("accessory", "up")
    assert visits(configured)[:-1] == rows


@MATRIX
def test_one_that_never_becomes_well_is_told_with_its_log(
    configured: Service, database: dict[str, Any]
) -> None:
    script = "trap exit TERM; echo the curtain is up; while :; do sleep 0.1; done"
    sick = {
        "image": REFERENCES["base"],
        "command": ["sh", "-c", script],
        "health": "echo no such role; exit 4",
        "start_timeout": 2,
    }
    configured.configure(accessories={"db": database, "sick": sick})
    try:
        done = configured.deploy(code=35)
        assert "`health` fails with exit code 4: no such role" in done.err
        assert "the curtain is up" in done.err, "its log is shown"
    finally:
        configured.configure(accessories={"db": database})
    assert "sick of staging is not in pym-config.yaml any more" in configured.deploy().err
    configured.run("accessory", "remove", "sick", "--env", "staging", code=23)
    configured.run("accessory", "remove", "sick", "--env", "staging", "--confirm", "sick")
    assert f"{configured.name}-staging-sick" not in configured.host.containers()


@MATRIX
def test_a_review_environment_has_its_own_and_its_data_goes_with_it(configured: Service) -> None:
    configured.deploy("--env", "review-7")
    assert len(visits(configured, "review-7")) == 1
    configured.run("destroy", "--env", "review-7", "--yes")
    assert not [one for one in configured.host.everything() if "review-7" in one]


@MATRIX
def test_a_service_that_comes_back_finds_its_data(configured: Service) -> None:
    rows = visits(configured)
    configured.run("destroy", "--confirm", configured.name)
    configured.deploy()
    assert visits(configured)[:-1] == rows


def test_destroying_the_service_leaves_it_there_until_it_is_named(configured: Service) -> None:
    rows = visits(configured)
    done = configured.run("destroy", "--confirm", configured.name)
    assert "accessory remove db --env live --confirm db" in done.err
    assert told(configured)["state"] == "running"
    assert configured.host.containers() == [f"{configured.name}-{one}-db" for one in ("live", "staging")]
    count = ["psql", "--username", "postgres", "--tuples-only", "--command", "SELECT count(*) FROM visits"]
    assert int(configured.run("accessory", "exec", "db", "--", *count).out) == len(rows)

    configured.run("accessory", "remove", "db", code=23)
    for one in ("staging", "live"):
        configured.run("accessory", "remove", "db", "--env", one, "--confirm", "db")
    assert configured.host.everything() == []
    assert configured.state.stacks() == []
