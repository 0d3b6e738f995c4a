"""The Celery worker of a PyMacaron service with `with_async: true`."""

from __future__ import annotations

from typing import Final

NAME: Final = "celery"
"""The process that the worker is, where the service has its own Dockerfile."""
START: Final = """\
set -e
count=$(python -c 'from pymacaron.resources import get_celery_worker_count as get; print(get())' | tail -n 1)
memory=$(python -c 'from pymacaron.resources import get_celery_worker_memory_limit as get; print(get())' \
| tail -n 1)
exec celery -A pymacaron_async worker -E --loglevel info --include pymacaron_async.loader \
--concurrency "$count" --max-memory-per-child "$memory"
"""
"""What `pymasync` of pymacaron-async runs. That needs git, and a configuration file named after PYM_ENV."""
COMMAND: Final = ("sh", "-c", START)
