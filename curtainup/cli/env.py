"""`curtainup env`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from curtainup.cli.shared import common

EXAMPLE = 'Example: eval "$(curtainup env)" && pulumi preview --stack hello-live'


def run(service: common.Service = Path(), config: common.Config = None, json: common.Json = False) -> None:
    """Print the variables that plain `pulumi` needs.

    With them it uses the same engine, plugins and state as curtainup.
    """
    from curtainup.commands.pulumi import pulumi_environment

    found = dict(sorted(pulumi_environment(service, config, os.environ).items()))
    if json:
        common.print_json(found)
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")
