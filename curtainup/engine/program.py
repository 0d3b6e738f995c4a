"""Giving the engine the program and our own provider, both from this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from traceback import format_exception
from typing import Any

from curtainup.engine.provider.guard import guard_automation
from curtainup.engine.provider.server import serve
from curtainup.errors import SetupError

PROVIDER = "curtainup"
_IMPORTING = Lock()
"""One thread at a time: the SDKs show a second one modules that are not complete."""


def _ignore_shutdown_noise(hook: Any) -> None:
    """Hide the messages of the SDK's program coroutines when they are collected after a failed update.

    `pulumi.runtime.stack.run_pulumi_func` closes its callbacks in a `finally`, when no event loop runs any
    more. The SDK has reported the failure itself by then.
    """
    if getattr(hook.object, "__name__", "") not in {"run_pulumi_func", "run_in_stack"}:
        sys.__unraisablehook__(hook)


def _keep_details() -> None:
    """Keep the SDK's debug messages in this process.

    Each is a call to the engine that the program waits for, and there are six for a resource. The engine
    drops them without `--debug`, which curtainup never gives it.
    """
    from pulumi import log

    log.debug = lambda *_, **__: None


@contextmanager
def providers(
    stack: str, standins: Mapping[str, int], docker: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """Serve our own provider from this process, and yield the variable that tells the engine so.

    Pulumi by hand starts the provider as a plugin; here that would start Python once more for each update.

    Args:
        stack: the stack that the engine works on; our provider touches no other.
        standins: the ports of further providers that are already served, by name.
        docker: the variables with which our provider reaches the Docker engine, before the environment's.

    """
    server, port = serve(stack=stack, docker=docker)
    ports = {PROVIDER: port, **standins}
    try:
        yield {"PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{at}" for name, at in ports.items())}
    finally:
        server.stop(None)


@cache
def load(folder: Path, target: str) -> Callable[[], None]:
    """Load the program's entry once; Python finds the program's packages beside it.

    A thread imports the target's component in the meantime, before the engine needs it.

    Raises:
        SetupError: the program cannot be imported; a service may have edited its own.

    """
    sys.unraisablehook = _ignore_shutdown_noise
    guard_automation()
    _keep_details()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        run: Callable[[], None] = import_module("stacks").run
    except Exception as error:
        raise SetupError(
            f"the program cannot be imported: {type(error).__name__}: {error}",
            where=str(folder / "stacks"),
            consequence="nothing was done",
            fix="fix the program, or restore its last version that worked",
            detail="".join(format_exception(error)),
        ) from error
    Thread(target=_import_ahead, args=(target,), name="imports", daemon=True).start()
    return run


@cache
def load_for_images(folder: Path, target: str) -> None:
    """Load the program for a run that makes an image, which needs more; see `load`."""
    load(folder, target)
    Thread(target=_import_for_images, name="imports", daemon=True).start()


def _import_ahead(target: str) -> None:
    """Import the component; if that fails, the program fails in the same way and reports it."""
    with _IMPORTING, suppress(Exception):
        import_module("stacks.environment")
        import_module("components.targets").component(target)


def _import_for_images() -> None:
    with _IMPORTING, suppress(Exception):
        import_module("stacks.image")
