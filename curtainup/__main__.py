"""The command `curtainup`: the only place where errors are printed and exit codes given."""

from __future__ import annotations

import sys

from curtainup.errors import CurtainupError


def main() -> None:
    """Run the command line, and end with the exit code of what went wrong, if anything did."""
    from curtainup.cli import app

    try:
        app()
    except CurtainupError as error:
        from curtainup.report import render_error

        print(render_error(error), file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
