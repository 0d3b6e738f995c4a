"""`curtainup test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common, complete

EXAMPLE = "Example: curtainup test examples/hello --env live -- -k greets"


def run(
    service: common.Service = Path(),
    arguments: Annotated[list[str] | None, typer.Argument(help="More arguments for pytest.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="Test the service at this URL.")] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            help="Test this environment: staging, live or review-NAME.",
            autocompletion=complete.environments,
        ),
    ] = None,
    image: Annotated[
        str | None, typer.Option("--image", help="Test this image in a local container.")
    ] = None,
    config: common.Config = None,
    env_file: common.EnvFile = None,
    python: common.Python = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Run the acceptance tests and the smoke suite against one URL.

    This is the gate alone; nothing is deployed. Without --url, --env or --image it tests the image that was
    built last.
    """
    from dataclasses import asdict

    from curtainup.commands import test as gate_command
    from curtainup.config.review import is_review
    from curtainup.pipeline.run import recorded as runs

    if str(service).startswith("-"):  # of pytest, with no folder before them
        service, arguments = Path(), [str(service), *(arguments or ())]
    reviewed = env if env and is_review(env) else None
    session = common.session(service, config, quiet=quiet, review=reviewed, env_file=env_file)
    wanted = gate_command.Wanted(
        url=url, env=env, image=image, python=python, arguments=tuple(arguments or ())
    )
    result = runs.recorded(session, "test", lambda recorder: gate_command.test(session, recorder, wanted))
    if json:
        common.print_json(asdict(result))
    else:
        common.show(f"{result.tests} test{'s' * (result.tests != 1)} passed against {result.url}")
