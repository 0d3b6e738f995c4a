"""The option that names an environment, and what the shell is offered when somebody presses Tab after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FILE = "pym-config.yaml"
MOST = 256 << 10
"""Bytes of a configuration."""


def environments(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the environments that the configuration names; where it cannot be read, the usual two."""
    import yaml

    from curtainup.util.files import read_bounded

    folder = Path(str(context.params.get("service") or context.params.get("folder") or "."))
    try:
        found = yaml.safe_load(read_bounded(folder / FILE, MOST))
        sections = found.get("environments") or {}
        named = [str(one) for one in sections]
    except (OSError, ValueError, AttributeError, TypeError, LookupError, RecursionError, yaml.YAMLError):
        named = []
    names = dict.fromkeys(("staging", "live", *named))
    return [one for one in names if one.startswith(incomplete) and one != "review"]


Env = Annotated[str, typer.Option("--env", help="The environment.", autocompletion=environments)]
