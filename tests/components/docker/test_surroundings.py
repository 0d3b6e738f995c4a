from __future__ import annotations

from typing import Any

from curtainup.model import release_config
from curtainup.model.release import Deployment, release_id
from tests import samples
from tests.components.program import CONTAINER, render

USED = {
    "networks": ("shared", "metrics"),
    "volumes": ("uploads:/data", "/etc/shop:/etc/shop:ro"),
    "host_gateway": True,
}


def rendered(**changed: Any) -> dict[str, Any]:
    one = samples.release(1, settings=samples.SETTINGS.model_copy(update=changed))
    config = {
        "environment": samples.environment().model_dump(mode="json"),
        "releases": release_config.to_config(Deployment(releases=(one,)), {}),
        "traffic": {one.id: 0},
    }
    return render(config).of(CONTAINER)[f"shop-live-{one.id}"].inputs


def test_a_release_is_on_its_networks_after_the_environment_s_own() -> None:
    own, *others = rendered(**USED)["networksAdvanced"]
    assert own["ipv4Address"] == "10.213.0.11"
    assert others == [{"name": "shared"}, {"name": "metrics"}]


def test_a_release_mounts_volumes_and_folders() -> None:
    assert rendered(**USED)["mounts"] == [
        {"type": "volume", "source": "uploads", "target": "/data", "readOnly": False},
        {"type": "bind", "source": "/etc/shop", "target": "/etc/shop", "readOnly": True},
    ]


def test_a_release_reaches_the_host_by_a_name() -> None:
    assert rendered(**USED)["hosts"] == [{"host": "host.docker.internal", "ip": "host-gateway"}]


def test_a_release_that_uses_none_of_it_is_rendered_as_ever() -> None:
    inputs = rendered()
    assert len(inputs["networksAdvanced"]) == 1
    assert not {"mounts", "hosts"} & set(inputs)


def test_only_what_is_used_is_part_of_a_release_s_identity() -> None:
    image = "shop@sha256:" + "0" * 64
    before = release_id(image, samples.SETTINGS, "")
    assert before == "r76e277f", "of a release that older versions have made"
    for name, value in USED.items():
        changed = samples.SETTINGS.model_copy(update={name: value})
        assert release_id(image, changed, "") != before, name
