"""Bringing the program and our own provider to the engine, from this very process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from traceback import format_exception
from typing import Any

from curtainup.engine.provider.server import serve
from curtainup.errors import SetupError

PROVIDER = "curtainup"


def _ignore_shutdown_noise(hook: Any) -> None:
    """Leave out what the SDK's program coroutines say when they are collected after a failed update.

    `pulumi.runtime.stack.run_pulumi_func` closes its callbacks in a `finally`, when no loop runs any
    more; the failure itself has been reported by then.
    """
    if getattr(hook.object, "__name__", "") not in {"run_pulumi_func", "run_in_stack"}:
        sys.__unraisablehook__(hook)


@contextmanager
def providers(standins: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Serve our own provider from this process, and give the variable that tells the engine so.

    Hand-run Pulumi starts it as a plugin; here that would be one more start of Python per update.

    Args:
        standins: ports of further providers that are served already, by name.

    """
    server, port = serve()
    ports = {PROVIDER: port, **standins}
    try:
        yield {"PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{at}" for name, at in ports.items())}
    finally:
        server.stop(None)


@cache
def load(folder: Path, target: str) -> Callable[[], None]:
    """Load the program's entry once; its own packages are found beside it.

    What it renders with on that target is imported meanwhile: the engine takes longer than that to ask
    for it.

    Raises:
        SetupError: it cannot be imported, as a service may have changed its own.

    """
    sys.unraisablehook = _ignore_shutdown_noise
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        run: Callable[[], None] = import_module("stacks").run
    except Exception as error:
        raise SetupError(
            f"the program cannot be imported: {type(error).__name__}: {error}",
            where=str(folder / "stacks"),
            consequence="nothing was done",
            fix="mend it, or bring back what was there before",
            detail="".join(format_exception(error)),
        ) from error
    Thread(target=_import_ahead, args=(target,), name="imports", daemon=True).start()
    return run


def _import_ahead(target: str) -> None:
    """Import; what fails here is said by the program, which comes to it again."""
    with suppress(Exception):
        import_module("stacks.environment")
        import_module("components.targets").component(target)
        import_module("stacks.image")
