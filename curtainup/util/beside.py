"""Work that goes on beside its caller, and is over before the caller goes further."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

GoOn = Callable[[], None]
"""Lets the caller of `beside` go on; may be called from any thread, and more than once."""


@contextmanager
def beside(work: Callable[[GoOn], object]) -> Iterator[None]:
    """Begin work in a thread, and enter the block once the work lets it go on, or has ended.

    The work is over when the block is left. If both fail, the error of the work is raised.

    Args:
        work: takes what it calls when the block may begin.

    """
    may_go_on = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as pool:
        running = pool.submit(work, may_go_on.set)
        running.add_done_callback(lambda _: may_go_on.set())
        may_go_on.wait()
        if running.done():
            running.result()
        try:
            yield
        except BaseException as error:
            failure = running.exception()
            if failure is not None:
                raise failure from error
            raise
        running.result()
