"""`curtainup doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli import common

if TYPE_CHECKING:
    from curtainup.doctor import Check

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
        print(_table(found))
    broken = [check.name for check in found if not check.ok]
    if broken:
        raise SetupError(
            f"{', '.join(broken)}: not fine",
            consequence="deployments cannot run",
            fix="see above" if fix else "curtainup doctor --fix",
        )


def _table(found: list[Check]) -> str:
    """Return a line per piece, and beneath it the fix of one that is not fine."""
    name = max(len(check.name) for check in found)
    version = max(len(check.version or "-") for check in found)
    lines = []
    for check in found:
        mark = "ok " if check.ok else "BAD"
        line = f"{mark}  {check.name:{name}}  {check.version or '-':{version}}  {check.detail or ''}"
        lines.append(line.rstrip())
        if check.fix:
            lines.append(f"     fix: {check.fix}")
    return "\n".join(lines)
