"""What every deployment needs, brought into this process before it forks, so that no fork has to."""

from __future__ import annotations

import gc
from collections.abc import Iterator

from pydantic import BaseModel

from curtainup import targets
from curtainup.images import origin
from curtainup.model import contract, release, release_config, run

_READ_AND_WRITTEN = (contract, origin, release, release_config, run)
"""The modules of what a run reads from the state, and writes into its record."""


def up() -> None:
    """Import what deployments need, and build the models that they read and write.

    Pydantic builds a model when it is used first, which is a tenth of the time of a deployment that has
    nothing to do. No thread begins by this.
    """
    import docker  # noqa: F401 - whatever the target is, a run looks for its lock on the Docker engine

    import curtainup.commands.deploy
    import curtainup.pipeline.run.recorded  # noqa: F401

    for one in _models():
        one.model_rebuild()
    gc.freeze()  # else the first collection of each fork copies all of it


def _models() -> Iterator[type[BaseModel]]:
    for module in _READ_AND_WRITTEN:
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__:
                yield one
    for spec in targets.every():
        yield from (spec.environment, spec.settings)
