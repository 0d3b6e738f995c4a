"""The commands by which curtainup uses OpenSSH: one connection, and what goes through it.

The first command reads the user's configuration, so that aliases, keys, the agent, jump hosts and known hosts
are those of a plain `ssh`. The others only speak to the first, and read none.
"""

from __future__ import annotations

from pathlib import Path

from curtainup.util.ssh_address import Address

CONNECT_SECONDS = 10
"""How long ssh waits for the host's first answer."""
ALIVE_SECONDS, ALIVE_COUNT = 10, 3
"""After how many seconds of silence ssh asks whether the host is there, and how often in vain."""

_OWN = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ServerAliveInterval": str(ALIVE_SECONDS),
    "ServerAliveCountMax": str(ALIVE_COUNT),
    "ControlPersist": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "StreamLocalBindUnlink": "yes",
    "LogLevel": "INFO",
}
"""What the connection needs, whatever is configured: it asks nothing, and accepts no new key."""


def connect(address: Address, control: Path) -> list[str]:
    """Return the command that opens the connection, and holds it until it ends."""
    return ["ssh", "-M", "-N", "-S", str(control), *_options(), *_place(address)]


def explain(address: Address) -> list[str]:
    """Return a command that tries to connect, and says on standard error which keys it sees."""
    return ["ssh", "-v", "-S", "none", *_options(LogLevel="DEBUG1"), *_place(address), "true"]


def configuration(address: Address) -> list[str]:
    """Return the command that prints what the user's configuration says of the machine."""
    return ["ssh", "-G", *_place(address)]


def forward(control: Path, here: str, there: str) -> list[str]:
    """Return the command that leads connections to `here`, a socket or a port, to `there`."""
    return [*_through(control), "-O", "forward", "-L", f"{here}:{there}", "host"]


def back(control: Path, there: str, here: str) -> list[str]:
    """Return the command that leads connections to `there`, a port of the machine, to `here`."""
    return [*_through(control), "-O", "forward", "-R", f"{there}:{here}", "host"]


def shell(control: Path, before: str = "") -> list[str]:
    """Return the command that runs a script on the machine, which it reads from standard input.

    Args:
        control: the socket of the connection.
        before: what runs the shell there, such as `sudo -n`.

    """
    return [*_through(control), "-T", "host", f"{before} sh -s".strip()]


def _through(control: Path) -> list[str]:
    return ["ssh", "-F", "none", "-S", str(control), "-o", "BatchMode=yes", "-o", "ProxyCommand=false"]


def _options(**changed: str) -> list[str]:
    return [part for name, value in {**_OWN, **changed}.items() for part in ("-o", f"{name}={value}")]


def _place(address: Address) -> list[str]:
    port = ["-p", str(address.port)] if address.port else []
    return [*port, "--", address.login]
