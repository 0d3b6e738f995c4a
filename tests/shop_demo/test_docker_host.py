from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from curtainup import config
from shop_demo import docker_host, images, kept
from shop_demo.__main__ import SHOP

PUBLIC = {name: part.public for name, part in images.ACCESSORIES.items()}
BUILT = {name: part.built for name, part in images.ACCESSORIES.items()}


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "pym-config.yaml").write_text((SHOP / "pym-config.yaml").read_text())
    return tmp_path


def test_the_example_names_the_public_images_and_the_secrets_that_are_kept() -> None:
    found = config.load(SHOP, None, warn=pytest.fail)
    live = found.for_environment("live")
    assert {name: one.image for name, one in live.accessories.items()} == PUBLIC
    assert set(found.env_secrets) == set(kept.NAMES)


def test_its_own_configuration_counts_where_the_public_images_are_there(service: Path) -> None:
    assert docker_host.chosen(service, PUBLIC) == []
    assert [one.name for one in service.iterdir()] == ["pym-config.yaml"]


def test_elsewhere_one_is_written_that_differs_in_the_images_alone(service: Path) -> None:
    assert docker_host.chosen(service, BUILT) == ["--config", docker_host.OVERLAY]
    overlay = config.load(service, docker_host.OVERLAY, warn=pytest.fail).for_environment("live")
    assert {name: one.image for name, one in overlay.accessories.items()} == BUILT
    written = yaml.safe_load((service / f"pym-config.{docker_host.OVERLAY}.yaml").read_text())
    assert docker_host.with_images(written, PUBLIC) == yaml.safe_load((SHOP / "pym-config.yaml").read_text())
