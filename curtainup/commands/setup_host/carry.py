"""Carries out a plan, step by step. Each step goes to its end on the host, even if the line breaks."""

from __future__ import annotations

import time
from collections.abc import Sequence

from curtainup.commands.setup_host.facts import SUDO
from curtainup.commands.setup_host.plan import Step
from curtainup.errors import HostUnreachable, SetupError
from curtainup.platforms.ssh.connection import Connection
from curtainup.reporting import Report
from curtainup.setup.process import last_lines

SECONDS = 1200.0
"""How long one step may take; a slow mirror takes minutes."""
LOG = "/var/log/curtainup-setup.log"
AGAIN = "run the same command again: it does what is missing"
_CARRIED = """\
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l PATH=/usr/sbin:/usr/bin:/sbin:/bin
step=$(cat <<'STEP'
{script}STEP
)
setsid --wait sh -ec "$step" >{log} 2>&1 </dev/null
code=$?
tail -n 30 {log}
exit $code
"""
"""The step writes into a file, so that nothing stops it when nobody reads its output any more."""


def carry(connection: Connection, steps: Sequence[Step], report: Report, *, sudo: bool) -> None:
    """Carry out steps in their order; the first that fails is the last.

    Args:
        connection: leads to the host.
        steps: what is to be done.
        report: gets each step.
        sudo: whether the user needs it to be root.

    Raises:
        HostUnreachable: there is no connection, or it broke.
        SetupError: a step failed; the detail is the end of what it wrote.

    """
    for step in steps:
        started = time.monotonic()
        report.step_started(step.name, step.title)
        try:
            _carry_one(connection, step, SUDO if sudo else "")
        except (HostUnreachable, SetupError):
            report.step_finished(step.name, "failed", time.monotonic() - started, "")
            raise
        report.step_finished(step.name, "passed", time.monotonic() - started, "")


def _carry_one(connection: Connection, step: Step, before: str) -> None:
    ran = connection.run(script(step), before, SECONDS)
    where = f"{connection.address}, {LOG}"
    if ran is None:
        raise HostUnreachable(
            "the connection broke, or took too long, while the host was being set up",
            where=f"{where}: {step.title}",
            consequence="this step goes on to its end there, and those after it were not begun",
            fix=AGAIN,
        )
    if ran.code:
        raise SetupError(
            f"a step of setting up the host failed: {step.title}",
            where=where,
            consequence="the steps before it stay done, and those after it were not begun",
            fix=f"put right what it says, and {AGAIN}",
            detail=last_lines(ran.out + ran.err),
        )


def script(step: Step) -> str:
    """Return what root's shell gets for a step."""
    return _CARRIED.format(log=LOG, script=step.script)
