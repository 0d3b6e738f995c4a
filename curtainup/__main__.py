"""The command `curtainup`: the only place where errors are printed and exit codes given."""

from __future__ import annotations

import gc
import sys
import traceback

from curtainup.errors import CurtainupError

OBJECTS = 50_000
"""New objects after which Python looks for garbage; importing makes many, and hardly any of that."""


def main() -> None:
    """Run the command line, and end with the exit code of what went wrong, if anything did."""
    gc.set_threshold(OBJECTS)
    from curtainup.cli import app

    try:
        app()
    except CurtainupError as error:
        _end(error)
    except Exception as error:
        _end(_unexpected(error))


def _end(error: CurtainupError) -> None:
    from curtainup.reporting import render_error

    print(render_error(error), file=sys.stderr)
    sys.exit(error.exit_code)


def _unexpected(error: Exception) -> CurtainupError:
    """Return a defect of curtainup as an error that tells an operator where things stand."""
    return CurtainupError(
        f"curtainup itself failed: {type(error).__name__}: {error}",
        consequence="a deployment that was under way may have stopped half-way",
        fix="curtainup status shows what serves; the next `curtainup deploy` goes on from there",
        detail="".join(traceback.format_exception(error)),
    )


if __name__ == "__main__":
    main()
