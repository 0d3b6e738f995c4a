"""Progress of a run, on standard error: live in a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from curtainup.reporting.plain import PlainReport
from curtainup.reporting.progress import Report
from curtainup.reporting.text import render_error

__all__ = ["PlainReport", "Report", "for_stream", "render_error"]


def for_stream(stream: TextIO, *, quiet: bool, environ: Mapping[str, str]) -> Report:
    """Return the report that suits a stream.

    A capable terminal gets live progress, without colours if NO_COLOR is set. CI, pipes, dumb terminals and
    streams that cannot encode the marks get plain lines. With `quiet` there are only warnings and errors.
    """
    live = stream.isatty() and not environ.get("CI") and environ.get("TERM", "dumb") != "dumb"
    if quiet or not live or "utf" not in (stream.encoding or "").lower():
        return PlainReport(stream, quiet=quiet)
    from curtainup.reporting.terminal import TerminalReport

    return TerminalReport(stream, environ=environ)
