"""One SSH connection, which everything shares: the engine's socket, ports of the machine, and scripts.

Not only this process holds the connection, but each engine too: one whose driver was killed brings its update
to an end.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from curtainup.errors import HostUnreachable, PortTaken
from curtainup.platforms.ssh import commands, failures
from curtainup.platforms.ssh.keeper import Kept
from curtainup.util.ssh_address import Address

OPEN_SECONDS = 30.0
"""How long a connection may take to come about, the login included."""
COMMAND_SECONDS = 20.0
"""How long one command through the connection may take."""
MEND_SECONDS = 60.0
"""How long curtainup tries to replace a connection that was lost."""
QUIET_SECONDS = 5.0
"""For how long a failure is taken for the answer: asking again would cost as much time."""
SSH_PORT = 22
LOST = 255
"""The exit code of ssh itself."""
POLL = 0.005
ATTEMPTS = 5
LONGEST_PATH = 80
"""Bytes of a folder in which sockets have names that the kernel takes, with what ssh adds to them."""


@cache
def to(address: Address) -> Connection:
    """Return the connection to a host, the same for all who ask; it is not open yet."""
    return Connection(address, os.environ)


@dataclass(frozen=True)
class Ran:
    """How a script has ended on the host.

    Attributes:
        code: its exit code.
        out: what it has written.
        err: what it has written on standard error.

    """

    code: int
    out: str
    err: str


class Connection:
    """A connection to one host. It opens when it is first needed, and again when it was lost.

    Attributes:
        address: of the host.
        folder: this user's alone, with the sockets.

    """

    def __init__(self, address: Address, environ: Mapping[str, str]) -> None:
        self.address = address
        self.folder = Path(tempfile.mkdtemp(prefix="curtainup-ssh-", dir=_short(tempfile.gettempdir())))
        self._environ = {**environ, "LC_ALL": "C"}
        self._lock = threading.RLock()
        self._masters: list[Kept] = []
        self._ports: dict[tuple[str, int], int] = {}
        self._back: set[int] = set()
        self._failed: tuple[float, HostUnreachable] | None = None
        self._is_closed = False
        atexit.register(self.close)

    @property
    def socket(self) -> Path:
        """The socket on this machine that leads to the Docker engine's."""
        return self.folder / "docker.sock"

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a process inherits so that the connection outlives this one."""
        return tuple(one.pipe for one in self._masters)

    @property
    def _control(self) -> Path:
        return self.folder / "control"

    def open(self) -> None:
        """Open the connection, unless it is open.

        Raises:
            HostUnreachable: it does not come about; the fix says what to do.

        """
        with self._lock:
            if self._is_alive():
                return
            if self._failed is not None and time.monotonic() < self._failed[0] + QUIET_SECONDS:
                raise self._failed[1]
            try:
                self._start()
            except HostUnreachable as error:
                self._failed = (time.monotonic(), error)
                raise
            self._failed = None

    def begin(self) -> None:
        """Begin to open the connection while this process does something else; `open` tells how it went."""
        threading.Thread(target=self._try, name="ssh", daemon=True).start()

    def port(self, there: int, host: str = "127.0.0.1", here: int | None = None) -> int:
        """Return a port of this machine's loopback that leads to a port of the host.

        Args:
            there: the port.
            host: the address on which it listens, as the host itself reaches it.
            here: the port of this machine that has to lead there; None takes any.

        Raises:
            HostUnreachable: there is no connection, or the host leads nothing on.
            PortTaken: the port of this machine is not free.

        """
        with self._lock:
            self.open()
            known = self._ports.get((host, there))
            if known is not None and here in (None, known):
                return known
            for _ in range(ATTEMPTS if here is None else 1):
                chosen = here or _free_port()
                if self._forward(f"127.0.0.1:{chosen}", _place(host, there)):
                    self._ports[(host, there)] = chosen
                    return chosen
        if here is None:
            raise HostUnreachable(
                "no port of this machine leads to the Docker host",
                where=f"port {there} of {self.address}",
                consequence="curtainup cannot ask what runs there, so it stopped",
                fix="run the same command again; if it ends like this again, allow AllowTcpForwarding in the "
                "host's sshd_config",
            )
        raise PortTaken(
            f"port {here} of this machine belongs to something else",
            where=f"127.0.0.1:{here}, which has to lead to the same port of {self.address}",
            consequence="curtainup cannot ask the registry of the Docker host, so it stopped",
            fix=f"find its owner with `ss -ltnp 'sport = :{here}'`, end it, and run the same command again",
        )

    def back(self, port: int) -> None:
        """Have a port of the host's loopback lead to the same port of this machine's.

        Raises:
            HostUnreachable: there is no connection.
            PortTaken: the port of the host is not free, or the host leads nothing back.

        """
        with self._lock:
            self.open()
            if port in self._back:
                return
            if not self._forward_back(port):
                raise PortTaken(
                    f"port {port} of the Docker host does not lead to the service's registry",
                    where=f"127.0.0.1:{port} of {self.address}",
                    consequence="the host could not pull the image, so nothing was deployed",
                    fix=f"on the host: end what `ss -ltnp 'sport = :{port}'` shows, or allow "
                    "AllowTcpForwarding in its sshd_config; or name a registry with `docker_repo`",
                )
            self._back.add(port)

    def shell(self, script: str) -> str:
        """Run a shell script on the host, and return what it prints; empty if it cannot be run.

        Raises:
            HostUnreachable: there is no connection.

        """
        done = self.run(script)
        return done.out if done is not None else ""

    def run(self, script: str, before: str = "", seconds: float = COMMAND_SECONDS) -> Ran | None:
        """Run a shell script on the host; None if the connection broke or it took too long.

        The script may go on to its end there, for as long as it writes nothing to the connection.

        Args:
            script: for sh.
            before: what runs the shell there, such as `sudo -n`.
            seconds: how long it may take.

        Raises:
            HostUnreachable: there is no connection.

        """
        self.open()
        done = self._run(commands.shell(self._control, before), script, seconds)
        if done is None or done.returncode == LOST:
            return None
        return Ran(done.returncode, done.stdout, done.stderr)

    def real(self) -> Address:
        """Return the address as the user's configuration has it, which may know the host by an alias."""
        done = self._run(commands.configuration(self.address))
        lines = done.stdout.splitlines() if done is not None else []
        said = dict(line.split(" ", 1) for line in lines if " " in line)
        port = int(said.get("port", "0"))
        return replace(
            self.address,
            host=said.get("hostname", self.address.host),
            port=port if port not in (0, SSH_PORT) else None,
        )

    def close(self) -> None:
        """End the connection, unless an engine still has it."""
        self._is_closed = True
        if not self._lock.acquire(timeout=1):
            return  # it is being opened again, and ends with this process
        try:
            masters, self._masters = self._masters, []
            for one in masters:
                one.let_go(1)
            if not masters:
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self._lock.release()

    # Opening

    def _start(self) -> None:
        for left in (self._control, self.socket):
            left.unlink(missing_ok=True)
        master = Kept(commands.connect(self.address, self._control), self.folder, self._environ)
        self._masters.append(master)
        deadline = time.monotonic() + OPEN_SECONDS
        while not self._control.exists():
            if not master.is_alive():
                raise self._failed_with(master.said)
            if time.monotonic() > deadline:
                raise self._failed_with(f"no answer within {OPEN_SECONDS:.0f} s")
            time.sleep(POLL)
        ways = {
            str(self.socket): self.address.socket,
            **{f"127.0.0.1:{here}": _place(*there) for there, here in self._ports.items()},
        }
        if not all(self._forward(here, there) for here, there in ways.items()):
            raise self._failed_with(master.said)
        self._back = {port for port in self._back if self._forward_back(port)}
        threading.Thread(target=self._mend, args=(master,), name="ssh", daemon=True).start()

    def _try(self) -> None:
        with suppress(HostUnreachable):
            self.open()

    def _is_alive(self) -> bool:
        return bool(self._masters) and self._masters[-1].is_alive()

    def _failed_with(self, said: str) -> HostUnreachable:
        """End a connection that did not come about, and return the error with what ssh has said."""
        self._masters.pop().let_go(COMMAND_SECONDS)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return failures.error(
            self.address,
            said,
            self.real,
            lambda: self._said(commands.explain(self.address)),
            lambda: self._code(["ssh-add", "-l"]),
        )

    def _mend(self, master: Kept) -> None:
        """Replace the connection when it was lost, for as long as somebody may still need it."""
        master.wait()
        deadline = time.monotonic() + MEND_SECONDS
        while not self._is_closed and time.monotonic() < deadline:
            try:
                self.open()
            except HostUnreachable:
                time.sleep(QUIET_SECONDS / 10)
            else:
                return

    # Commands

    def _forward(self, here: str, there: str) -> bool:
        done = self._run(commands.forward(self._control, here, there))
        return done is not None and done.returncode == 0

    def _forward_back(self, port: int) -> bool:
        place = f"127.0.0.1:{port}"
        done = self._run(commands.back(self._control, place, place))
        return done is not None and done.returncode == 0

    def _said(self, command: list[str]) -> str:
        done = self._run(command)
        return done.stderr if done is not None else ""

    def _code(self, command: list[str]) -> int:
        done = self._run(command)
        return done.returncode if done is not None else -1

    def _run(
        self, command: list[str], text: str = "", seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str] | None:
        """Run a command to its end; None if it does not start, or takes too long."""
        try:
            return subprocess.run(
                command,
                env=self._environ,
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


def _short(folder: str) -> str:
    """Return a folder for sockets, whose paths have to be short."""
    return folder if len(os.fsencode(folder)) <= LONGEST_PATH - 30 else "/tmp"  # noqa: S108 - mkdtemp makes a private one


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
