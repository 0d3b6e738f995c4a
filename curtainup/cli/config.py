"""`curtainup config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common

EXAMPLE = "Example: curtainup config --schema > pym-config.schema.json"

Schema = Annotated[
    bool, typer.Option("--schema", help="Print the JSON Schema of the file, for editors, and read no file.")
]


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    schema: Schema = False,
    json: common.Json = False,
) -> None:
    """Check pym-config.yaml, and show where each environment runs.

    It needs no Docker, no account and no state.
    """
    from curtainup.commands import config as command

    if schema:
        print(command.schema_text(), end="")
        return
    found = command.checked(service, config, common.report().warn)
    if json:
        common.print_json(found.data())
    else:
        print(found.text())
