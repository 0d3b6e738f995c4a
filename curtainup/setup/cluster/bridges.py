"""The kernel's module that lets iptables see what goes over a bridge; it is the whole machine's."""

from __future__ import annotations

import subprocess
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import machine

SWITCHES = "bridge-nf-call-*"
IPTABLES = "bridge-nf-call-iptables"
LIMIT = 60.0
"""Seconds that the loading may take."""


def load(settings: Path = machine.BRIDGES) -> None:
    """Load the module if it is not there, and let the machine's own bridges go on as before.

    The module switches itself on in every network namespace. A cluster switches it on in its own.

    Raises:
        SetupError: this kernel has no such module.

    """
    if settings.is_dir():
        return
    try:
        done = subprocess.run(
            ["modprobe", "br_netfilter"],
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env={"PATH": machine.search_path()},
        )
        said = done.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if not settings.is_dir():
        raise SetupError(
            "the kernel's module br_netfilter cannot be loaded",
            consequence="there is no cluster",
            fix="modprobe br_netfilter, on the machine itself if this is a container",
            detail=said or None,
        )
    for switch in settings.glob(SWITCHES):
        switch.write_text("0")


def switch_on(settings: Path = machine.BRIDGES) -> None:
    """Let iptables see the bridges of the network namespace that this process is in."""
    (settings / IPTABLES).write_text("1")
