"""The command line. Each command imports what it needs when it runs, so that `--help` is instant."""

from __future__ import annotations

import typer

from curtainup import __version__
from curtainup.cli import (
    deploy,
    destroy,
    doctor,
    env,
    history,
    init,
    logs,
    notify,
    preview,
    promote,
    pulumi,
    rehearse,
    rollback,
    status,
    sweep,
    test,
)

app = typer.Typer(
    name="curtainup",
    help="From staging to live: build the image once, test it at every stage, and move traffic without "
    "dropping a request.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Show the version and exit.", is_eager=True),
) -> None:
    if version:
        typer.echo(f"curtainup {__version__}")
        raise typer.Exit


for command in (
    deploy,
    promote,
    test,
    preview,
    status,
    logs,
    history,
    rollback,
    destroy,
    sweep,
    rehearse,
    doctor,
    init,
    notify,
    env,
):
    app.command(command.__name__.rpartition(".")[2], epilog=command.EXAMPLE)(command.run)
app.command(
    "pulumi",
    epilog=pulumi.EXAMPLE,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(pulumi.run)
