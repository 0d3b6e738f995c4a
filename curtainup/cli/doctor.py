"""`curtainup doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from curtainup.cli import common

EXAMPLE = "Example: curtainup doctor --fix"


def run(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    json: common.Json = False,
) -> None:
    """List each piece that a deployment stands on, its version, and the fix if it is not fine."""
    from dataclasses import asdict

    from curtainup import doctor
    from curtainup.errors import SetupError

    found = doctor.run(fix, common.report().info)
    if json:
        common.print_json([asdict(check) for check in found])
    else:
        print(doctor.render(found))
    broken = [check.name for check in found if not check.ok]
    if broken:
        raise SetupError(
            f"{', '.join(broken)}: not fine",
            consequence="deployments cannot run",
            fix="see above" if fix else "curtainup doctor --fix",
        )
