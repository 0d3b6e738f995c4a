"""The shop on a Docker host, with the database and the queue as its accessories."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from cluster_demo.driver import curtainup, say
from curtainup.setup import docker_engine
from shop_demo import images, kept

OVERLAY = "docker-demo"
"""The configuration that is written beside the service's own where the public images are not reached."""
_HEAD = "# Written by `make demo-shop`: the public images of PostgreSQL and Redis were not reached.\n"


def show(service: Path) -> int:
    """Take the shop live, say where it answers, and return the exit code.

    Raises:
        SetupError: there is no Docker engine, or no image of the database or the queue.

    """
    with closing(docker_engine.connect(os.environ)) as client:
        found = {name: images.reference(client, part, say) for name, part in images.ACCESSORIES.items()}
    options = chosen(service, found)
    environ = {**os.environ, **kept.values()}
    code, url = curtainup(["deploy", str(service), "--dirty", *options], environ)
    if code == 0:
        print(url, flush=True)
        say(f"to go on with it: curtainup status {service}")
        say(f"and: curtainup deploy {' '.join([str(service), *options])} --env-file {kept.file()}")
    return code


def with_images(base: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration whose accessories have the images that were found."""
    keys = deepcopy(dict(base))
    for name, image in found.items():
        keys["accessories"][name]["image"] = image
    return keys


def chosen(service: Path, found: Mapping[str, str]) -> list[str]:
    """Return the options that choose the configuration, which is written if it is not the service's own."""
    base = yaml.safe_load((service / "pym-config.yaml").read_text())
    wanted = with_images(base, found)
    if wanted == base:
        return []
    text = yaml.safe_dump(wanted, sort_keys=False)
    (service / f"pym-config.{OVERLAY}.yaml").write_text(_HEAD + text)
    return ["--config", OVERLAY]
