"""The commands of every day, on one service: what is live, what it writes, and a release that is lost."""

from __future__ import annotations

import json
import os
from itertools import islice

import pytest
from docker.errors import NotFound

from curtainup.engine import deployer
from tests.e2e.following import following
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(reason="test_rollback shows one once, of a release that is still there")


@pytest.fixture(scope="module")
def two_releases(service: Service) -> Service:
    """The module's service: release 1 is kept, release 2 serves; each says what it is asked for."""
    service.edit("server.py", "def ping():\n", 'def ping():\n    print("pinged", flush=True)\n')
    service.deploy()
    service.greet("second")
    service.deploy()
    return service


def test_status_tells_since_when_by_whom_and_from_which_commit(two_releases: Service) -> None:
    old, new = two_releases.status("live")["releases"]

    head = two_releases.git("rev-parse", "HEAD").strip()
    assert (new["traffic"], new["commit"]) == (100, head)
    assert old["commit"] != head
    assert head not in old["version"]
    moved = two_releases.run("history", "--env", "live", "--json").json()[0]
    assert (new["since"], new["by"]) == (moved["at"], deployer.name(os.environ))
    assert (old["since"], old["by"]) == (new["since"], new["by"]), "it lost its traffic then"


def test_one_service_that_cannot_be_read_does_not_hide_another(two_releases: Service) -> None:
    folders = ("nowhere", str(two_releases.folder))

    done = two_releases.run("status", *folders, code=3)

    assert done.out.startswith(f"nowhere: cannot be read\n{two_releases.name} staging: http://")
    assert "no such" in done.err or "nowhere" in done.err
    unreadable, found = two_releases.run("status", "--json", *folders, code=3).json()
    assert (unreadable["service"], unreadable["error"]["exit_code"]) == ("nowhere", 3)
    assert found["service"] == two_releases.name


def test_logs_of_both_releases_and_of_one(two_releases: Service) -> None:
    old, new = two_releases.traffic("live")

    shown = two_releases.run("logs", "--since", "1h").out.splitlines()

    assert {line.split()[1] for line in shown} == {old, new}
    assert sorted(shown, key=lambda line: line.split()[0]) == shown
    alone = two_releases.run("logs", "--release", old, "--json").out.splitlines()
    assert {json.loads(line)["release"] for line in alone} == {old}
    assert "\x1b" not in "".join(shown)


def test_logs_are_followed_until_ctrl_c(two_releases: Service) -> None:
    _, new = two_releases.traffic("live")
    before = two_releases.run("logs", "--since", "1h").out.splitlines()

    with following(two_releases, "--since", "1h") as lines:
        assert list(islice(lines, len(before))) == before
        two_releases.get("live", "/ping")
        assert next(lines).endswith(f" {new} pinged")


def test_logs_of_what_is_not_there(two_releases: Service) -> None:
    old, _ = two_releases.traffic("live")
    assert old in two_releases.run("logs", "--release", "v0", code=19).err
    assert "environments: staging, live" in two_releases.run("logs", "--env", "nowhere", code=23).err


@MATRIX
def test_a_release_whose_container_was_removed_can_be_made_again(two_releases: Service) -> None:
    old, _ = two_releases.traffic("live")
    before, entries = two_releases.traffic("live"), two_releases.updates()
    name = f"{two_releases.name}-live-{old}"
    two_releases.host.client.containers.get(name).remove(force=True)

    done = two_releases.run("rollback", code=19)

    assert f"container {name}" in done.err
    assert (two_releases.traffic("live"), two_releases.updates()) == (before, entries)
    assert two_releases.get("live").json()["says"] == "second"
    stack = f"{two_releases.name}-live"
    assert f"curtainup pulumi up --refresh --stack {stack}" in done.err
    two_releases.run("pulumi", "up", "--refresh", "--yes", "--skip-preview", "--stack", stack)
    two_releases.run("rollback")
    assert two_releases.serving("live") == old
    two_releases.run("rollback")


@MATRIX
def test_a_release_whose_image_is_gone_too_cannot_come_back_and_live_is_untouched(
    two_releases: Service,
) -> None:
    old, _ = two_releases.status("live")["releases"]
    before, entries = two_releases.traffic("live"), two_releases.updates()
    _lose(two_releases, old["id"], old["image"])

    done = two_releases.run("rollback", code=19)

    assert f"the container of {old['version']} is gone, and so is its image" in done.err
    assert "git checkout COMMIT && curtainup deploy" in done.err
    assert (two_releases.traffic("live"), two_releases.updates()) == (before, entries)
    assert two_releases.get("live").json()["says"] == "second"


def _lose(service: Service, release: str, image: str) -> None:
    """Remove a release's containers, and its image from the engine and from the service's own registry."""
    client = service.host.client
    client.containers.get(f"{service.name}-live-{release}").remove(force=True)
    for one in service.host.containers("staging"):
        if client.containers.get(one).attrs["Config"]["Image"] == image:
            client.containers.get(one).remove(force=True)
    client.images.remove(image, force=True)
    service.host.lose_manifest(f"{service.name}-registry", image)
    with pytest.raises(NotFound):
        client.api.inspect_distribution(image)  # type: ignore[no-untyped-call]
