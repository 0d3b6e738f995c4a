"""The command line. A run loads its one command, and a command loads what it needs when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import typer

from curtainup import __version__

COMMANDS = (
    "deploy",
    "promote",
    "test",
    "preview",
    "status",
    "logs",
    "exec",
    "schedule",
    "accessory",
    "history",
    "rollback",
    "maintenance",
    "destroy",
    "sweep",
    "unlock",
    "rehearse",
    "doctor",
    "setup-host",
    "init",
    "config",
    "notify",
    "env",
    "pulumi",
)
"""The commands in the order of `--help`; each is a module here, with `run` and `EXAMPLE`;
a hyphen of its name is an underscore of the module's. `KIND` is the class of a command that needs its own."""
LEFT_TO_PULUMI = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def command_line(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the application: with the command that the arguments begin with, else with all.

    To read the options of a command costs several milliseconds, and there are many commands.
    """
    app = typer.Typer(
        name="curtainup",
        help="From staging to live: build the image once, test it at every stage, and move traffic without "
        "dropping a request.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=True,
    )
    app.callback(invoke_without_command=True)(_root)
    first = arguments[0] if arguments else None
    for name in (first,) if first in COMMANDS else COMMANDS:
        command = import_module(f"curtainup.cli.{name.replace('-', '_')}")
        settings = LEFT_TO_PULUMI if name == "pulumi" else None
        kind = getattr(command, "KIND", None)
        app.command(name, cls=kind, epilog=command.EXAMPLE, context_settings=settings)(command.run)
    return app


def _root(
    version: bool = typer.Option(False, "--version", help="Show the version and exit.", is_eager=True),
) -> None:
    if version:
        typer.echo(f"curtainup {__version__}")
        raise typer.Exit
