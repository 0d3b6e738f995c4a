"""An SSH connection of the tests' own, to a machine that is nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from curtainup.errors import HostUnreachable
from curtainup.util.ssh_address import Address, parse

LISTENING = """\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
"""


@dataclass
class Line:
    """A connection that leads each port to the same one plus 10,000, unless the host is away."""

    is_away: bool = False
    asked: list[tuple[int, str]] = field(default_factory=list)
    socket: Path = Path("/run/line/docker.sock")
    descriptors: tuple[int, ...] = (7,)

    def open(self) -> None:
        if self.is_away:
            raise HostUnreachable("the Docker host does not answer")

    def port(self, there: int, host: str = "127.0.0.1", here: int | None = None) -> int:
        self.open()
        self.asked.append((there, host))
        return here or there + 10_000

    def shell(self, script: str) -> str:
        assert "/proc/net/tcp" in script
        return LISTENING

    def real(self) -> Address:
        return parse("ssh://shop.example.com")

    def begin(self) -> None:
        """Nothing has to be opened."""
