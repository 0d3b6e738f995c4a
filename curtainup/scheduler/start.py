"""Starts the scheduler, or says that the image's Python cannot: even an old Python reads this file."""

import sys

OLDEST = (3, 10)


def begin():  # type: ignore[no-untyped-def]
    """Return the exit code of the scheduler, or why there is none."""
    if sys.version_info < OLDEST:
        told = "the scheduler of curtainup needs Python 3.10 or newer; python3 of this image is {}.{}"
        return told.format(*sys.version_info)
    from curtainup.scheduler.command import main

    return main(sys.argv)


if __name__ == "__main__":
    sys.exit(begin())  # type: ignore[no-untyped-call]
