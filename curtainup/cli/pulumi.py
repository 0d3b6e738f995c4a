"""`curtainup pulumi`."""

from __future__ import annotations

import typer

from curtainup.cli.shared import asked

EXAMPLE = "Example: curtainup pulumi preview --stack hello-live"


def run(context: typer.Context, during_freeze: asked.DuringFreeze = None) -> None:
    """Run Pulumi on the service in the current folder. It uses curtainup's state, plugins and PATH."""
    if context.args == ["--help"]:
        typer.echo(
            f"Usage: curtainup pulumi [ARGS]...\n\n  {run.__doc__}\n\n  {EXAMPLE}\n\nPulumi's own help:\n"
        )
    from curtainup.commands.pulumi import run_pulumi

    raise typer.Exit(run_pulumi(context.args, asked.reason_of(during_freeze)))
