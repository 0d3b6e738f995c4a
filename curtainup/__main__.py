"""The command `curtainup`: the only place where errors are printed and exit codes given."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys

from curtainup.cli import front_page

OBJECTS = 50_000
"""New objects after which Python looks for garbage; importing makes many, and hardly any of that."""


def main() -> None:
    """Run the command line, and end with the exit code of what went wrong, if anything did."""
    _require_utf8()
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)  # else Python looks through all that was imported once more before it ends
    arguments = sys.argv[1:]
    try:
        if front_page.is_asked(arguments, os.environ):
            front_page.show()
            return
        from curtainup.cli.command_line import command_line

        command_line(arguments)(prog_name="curtainup")
    except Exception as error:
        from curtainup.cli.shared import failing

        found = failing.ours(error)
        failing.show(found)
        sys.exit(found.exit_code)


def _require_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding.

    Files are UTF-8 on every machine. Only what is shown follows the locale.
    """
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606
    encoding = None
    if sys.flags.utf8_mode and "PYTHONIOENCODING" not in os.environ:
        import codecs
        import locale

        shown = codecs.lookup(locale.getencoding()).name
        encoding = None if shown == "ascii" else shown  # C and POSIX are no choice of anybody's
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


if __name__ == "__main__":
    main()
