"""A release whose container is lost, and one whose image is lost too."""

from __future__ import annotations

import pytest
from docker.errors import NotFound

from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(reason="test_rollback shows one once, of a release that is still there")


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
