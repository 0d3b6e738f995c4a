"""`curtainup notify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common

EXAMPLE = "Example: curtainup notify examples/hello --text 'Is anybody there?'"


def run(
    service: common.Service = Path(),
    text: Annotated[str, typer.Option("--text", help="The message to send.")] = "this is a test",
    config: common.Config = None,
    json: common.Json = False,
) -> None:
    """Send a test message to everyone named in `notify`.

    Exit code 27: at least one message could not be sent.
    """
    from dataclasses import asdict

    from curtainup.commands import notify as trial

    session = common.session(service, config, with_secrets=False)
    tried = trial.tell(session, text)
    if json:
        common.print_json([{**asdict(one), "sent": one.sent} for one in tried])
    else:
        common.show(trial.render(tried))
    trial.require_sent(tried)
