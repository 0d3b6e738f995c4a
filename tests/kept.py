"""Stacks in a file backend, written as Pulumi keeps them, without an engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curtainup.environments import stack as environments
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from tests import samples

START = 1795275084
HEAD = "b3548e0123456789abcdef0123456789abcdef01"


def environment(
    folder: Path,
    stack: str,
    deployments: Sequence[Deployment],
    *,
    pending: Sequence[dict[str, Any]] = (),
    held: str = "",
    **settings: Any,
) -> None:
    """Write an environment that has come to be by an update to each of the deployments, a minute apart.

    Args:
        folder: of the backend.
        stack: `shop-live`.
        deployments: oldest first; the last one is what there is.
        pending: operations that were under way when the last update was cut off.
        held: id of the candidate that is held.
        settings: of the environment, as `samples.environment` takes them.

    """
    service, _, name = stack.rpartition("-")
    place = samples.environment(**{"service": service, "name": name, **settings})
    root = folder / ".pulumi"
    for minute, one in enumerate(deployments):
        config = environments.configured(Environment(stack, place, held=held), one)
        named = {f"curtainup:{key}": value for key, value in config.items()}
        file = f"history/curtainup/{stack}/{stack}-{START + 60 * minute:019}.history.json"
        _write(root / file, _entry(minute, {**named, "curtainup:by": f"ann{minute}@laptop"}))
    outputs = {
        "url": place.url,
        "release_urls": {one.id: one.address.url for one in deployments[-1].releases if one.address},
    }
    resources = [{"type": "pulumi:pulumi:Stack", "urn": stack, "outputs": outputs}, {"urn": "another"}]
    latest = {"resources": resources, "pending_operations": list(pending)}
    _write(root / "stacks" / "curtainup" / f"{stack}.json", {"checkpoint": {"latest": latest}})


def _entry(minute: int, config: dict[str, Any]) -> dict[str, Any]:
    times = {"startTime": START + 60 * minute, "endTime": START + 60 * minute + 2}
    about = {"git.author": "Ann", "git.head": HEAD}
    return {"kind": "update", "result": "succeeded", **times, "environment": about, "config": config}


def _write(file: Path, document: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))
