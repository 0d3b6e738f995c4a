"""`curtainup status`."""

from __future__ import annotations

from pathlib import Path

from curtainup.cli import common

EXAMPLE = "Example: curtainup status examples/hello --json"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show what is live and staged, and how traffic is split."""
    from dataclasses import asdict

    from curtainup.status import render, status

    found = status(common.session(service, config, with_secrets=False, rehearsal=rehearsal))
    if json:
        common.print_json(asdict(found))
    else:
        print(render(found))
