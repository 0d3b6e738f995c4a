"""The processes of a new release, as configured."""

from __future__ import annotations

from curtainup.config import EnvironmentConfig
from curtainup.model.process import Process


def wanted(config: EnvironmentConfig) -> tuple[Process, ...]:
    """Return the processes that an environment is to have, in the order of their names."""
    return tuple(
        Process(
            name=name,
            command=one.command,
            count=one.count,
            memory_mb=config.memory_limit if one.memory_limit is None else one.memory_limit,
            cpus=config.cpus if one.cpus is None else one.cpus,
            stop_timeout=config.stop_timeout if one.stop_timeout is None else one.stop_timeout,
            settle=one.settle,
            health=one.health or (),
            overlap=one.overlap,
        )
        for name, one in sorted(config.processes.items())
    )
