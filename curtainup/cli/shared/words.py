"""A command of the user's after `--`, whose words are no options of curtainup's."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

KEY = "curtainup.words"
SHOWN = "-- COMMAND..."


class WithWords(TyperCommand):
    """A command that leaves everything after the first `--` alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before `--`, and keep what is after it."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[KEY] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what the line with the usage shows."""
        return [*super().collect_usage_pieces(ctx), SHOWN]


def words_of(context: typer.Context) -> tuple[str, ...]:
    """Return the words after `--`.

    Raises:
        typer.BadParameter: there are none.

    """
    found: tuple[str, ...] = context.meta.get(KEY, ())
    if not found:
        raise typer.BadParameter("name a command after --, as in: curtainup exec -- sh")
    return found
