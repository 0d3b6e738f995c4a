"""A second machine on this one, reached by SSH alone: with network, mounts and processes of its own.

Its SSH server is Debian's, its Docker engine this machine's. Its data is in memory, and outlives a reboot.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from tests.e2e import slow_line
from tests.e2e.debian_packages import unpacked
from tests.e2e.second_engine import filled, skipped_where_not_allowed

NEEDED = ("dockerd", "ip", "mount", "unshare", "nsenter", "ssh", "ssh-keygen", "/usr/bin/python3")
IS_POSSIBLE = os.geteuid() == 0 and all(map(shutil.which, NEEDED))
WHY_NOT = "needs root, dockerd, iproute2, util-linux, OpenSSH's client and Python"
SIZE = "3g"
USER = "deploy"
UID = 4321
ALIAS = "shop"
"""The machine's name in the user's SSH configuration."""
PATIENCE = 60.0
PACKAGES = ("openssh-server", "libwrap0")
BOOT = """\
set -eu
folder=$1 sshd=$2 library=$3
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /home
mkdir -p /run/sshd /home/deploy
chown 4321 /home/deploy
cp "$folder/authorized_keys" /run/
for file in passwd group shadow; do mount --bind "$folder/$file" /etc/$file; done
mount --bind "$folder/data" /var/lib/docker
if [ -e "$folder/with-docker" ]; then
    dockerd --host unix:///var/run/docker.sock --host "unix://$folder/docker.sock" --group docker \\
        --storage-driver overlay2 >>"$folder/dockerd.log" 2>&1 &
fi
export LD_LIBRARY_PATH=$library
exec "$sshd" -D -f "$folder/sshd_config" -E "$folder/sshd.log"
"""
SSHD = """\
HostKey {folder}/host_key
AuthorizedKeysFile /run/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
LogLevel VERBOSE
MaxSessions 50
"""
CLIENT = """\
Host {alias}
    HostName {address}
    User {user}
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
"""
SSH = """\
#!/bin/sh
exec {ssh} -F {folder}/client_config "$@"
"""


Machine = TypeVar("Machine", bound="SecondMachine")


@contextmanager
def running(kind: Callable[[Path], Machine], *, with_docker: bool = False) -> Iterator[Machine]:
    """Provide a running machine; skip the tests where this machine does not allow one."""
    with tempfile.TemporaryDirectory(prefix="cu-", dir="/tmp") as short:
        machine = kind(Path(short))
        try:
            with skipped_where_not_allowed():
                machine.make()
            machine.boot(with_docker=with_docker)
            yield machine
        finally:
            machine.remove()


class SecondMachine:
    """The machine, and the user's SSH configuration that knows it as `shop`.

    Attributes:
        folder: where all of it is kept; short, as it holds sockets.
        address: its IP address, which this machine reaches.
        docker_host: as `docker_host` in pym-config.yaml takes it.

    """

    docker_host = f"ssh://{ALIAS}"

    def __init__(self, folder: Path) -> None:
        number = secrets.randbelow(16_000)
        self.folder = folder
        self.name = f"cu-ssh-{number:05d}"
        self.address = f"10.{214 + number // 8192}.{number // 64 % 128}.{number % 64 * 4 + 2}"
        self._gateway = self.address.rpartition(".")[0] + f".{number % 64 * 4 + 1}"
        self._link = f"cus{number:05d}"
        self._init: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a user whose SSH configuration knows the machine."""
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "SSH_AUTH_SOCK": ""}

    @property
    def inside(self) -> list[str]:
        """What begins a command in its network; `ip netns exec` would hide the control groups."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    @property
    def engine(self) -> str:
        """The Docker engine's address for the tests themselves."""
        return f"unix://{self.folder}/docker.sock"

    def make(self) -> None:
        """Make its network, its disk, its users and its keys.

        Raises:
            subprocess.CalledProcessError: this machine does not allow that; the machine is to be removed.

        """
        (self.folder / "data").mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", self.name, str(self.folder / "data"))
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "address", "add", f"{self._gateway}/30", "dev", self._link)
        _run("ip", "link", "set", self._link, "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{self.address}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", self._gateway),
        ):
            _run("ip", "-n", self.name, *command)
        self._write_users()
        self.make_host_key()
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "key"))
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        self._write_client()

    def boot(self, *, with_docker: bool = True) -> None:
        """Start it, and wait until its SSH server and its engine answer."""
        if with_docker:
            (self.folder / "with-docker").touch()
        sshd, library = _sshd()
        (self.folder / "sshd_config").write_text(SSHD.format(folder=self.folder))
        (self.folder / "boot").write_text(BOOT)
        boot = ["sh", str(self.folder / "boot"), str(self.folder), str(sshd), str(library)]
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with (self.folder / "boot.log").open("ab") as log:
            self._init = subprocess.Popen(
                [*self.inside, *unshare, "--propagation", "private", *boot],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait(lambda: _answers(self.folder, "true"), "SSH server")
        if with_docker:
            self._wait(lambda: _answers(self.folder, "docker version"), "Docker engine")

    def crash(self) -> None:
        """Take its power away: all of its processes end at once."""
        if self._init is not None:
            self._init.kill()
            self._init.wait()
            self._init = None
        (self.folder / "docker.sock").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it and take away what `make` has made, as far as it is there."""
        self.crash()
        for command in (
            ("ip", "link", "delete", self._link),
            ("ip", "netns", "delete", self.name),
            ("umount", str(self.folder / "data")),
        ):
            subprocess.run(command, capture_output=True, check=False)

    def make_host_key(self) -> None:
        """Give it a key, another one than before; the user's list of known hosts stays as it is."""
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink(missing_ok=True)
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host_key"))

    def know(self) -> None:
        """Put its key, as it is, into the user's list of known hosts."""
        key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        (self.folder / "known_hosts").write_text(f"{self.address} {key}\n")

    def bring(self, images: Sequence[str]) -> None:
        """Copy images from this machine's own engine."""
        load = ["docker", "--host", self.engine, "load", "--quiet"]
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)
        assert saved.returncode == 0

    def logins(self) -> int:
        """How often somebody has logged in until now."""
        return (self.folder / "sshd.log").read_text().count("Accepted publickey")

    @contextmanager
    def slow(self, milliseconds: int, loss: int = 0) -> Iterator[None]:
        """Have its line take that long there and back, and lose some per cent of what goes there and back."""
        here, there = f"{self._link}a", f"{self._link}b"
        carrier = subprocess.Popen(
            [sys.executable, slow_line.__file__, here, there, str(milliseconds / 2000), str(loss / 200)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert carrier.stdout is not None
        try:
            assert carrier.stdout.readline() == f"{slow_line.READY}\n"
            _run("ip", "link", "set", there, "netns", self.name)
            _run("ip", "link", "set", here, "up")
            _run("ip", "-n", self.name, "link", "set", there, "up")
            _run("ip", "-n", self.name, "route", "add", self._gateway, "dev", there, "src", self.address)
            _run("ip", "route", "add", self.address, "dev", here, "src", self._gateway)
            yield
        finally:
            carrier.kill()  # the devices and the routes end with it
            carrier.wait()
            carrier.stdout.close()

    def full(self) -> AbstractContextManager[None]:
        """Have its disk all but full."""
        return filled(self.folder / "data")

    def _write_users(self) -> None:
        entries = {
            "passwd": f"sshd:x:4320:65534::/:/bin/false\n{USER}:x:{UID}:{UID}::/home/{USER}:/bin/sh\n",
            "group": f"{USER}:x:{UID}:\n",
            "shadow": f"sshd:*:19000::::::\n{USER}:*:19000::::::\n",
        }
        for name, entry in entries.items():
            lines = Path("/etc", name).read_text().splitlines()
            others = [line for line in lines if line.partition(":")[0] not in ("docker", "sshd", USER)]
            group = [f"docker:x:4322:{USER}"] if name == "group" else []
            (self.folder / name).write_text("\n".join([*others, *group, entry]))

    def _write_client(self) -> None:
        place = {"folder": self.folder, "address": self.address, "alias": ALIAS, "user": USER}
        (self.folder / "client_config").write_text(CLIENT.format(**place))
        ssh = self.folder / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(SSH.format(ssh=shutil.which("ssh"), folder=self.folder))
        ssh.chmod(0o755)
        self.know()

    def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_there():
            log = "\n".join(file.read_text()[-2000:] for file in self.folder.glob("*.log"))
            assert self._init is not None
            assert self._init.poll() is None, f"it has ended before its {what} answered:\n{log}"
            assert time.monotonic() < deadline, f"its {what} does not answer:\n{log}"
            time.sleep(0.1)


def _answers(folder: Path, command: str, login: str = ALIAS) -> bool:
    """Return whether a command runs there, whatever key the machine shows."""
    careless = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
    options = [part for option in careless for part in ("-o", option)]
    done = subprocess.run(
        [str(folder / "bin" / "ssh"), *options, login, command],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode == 0


def _sshd() -> tuple[Path, Path]:
    """Return the SSH server and the folder of its libraries: this machine's, else Debian's."""
    if own := shutil.which("sshd", path="/usr/sbin:/usr/local/sbin"):
        return Path(own), Path("/usr/lib")
    made = unpacked("sshd", *PACKAGES)
    [library] = {file.parent for file in made.rglob("libwrap.so.0")}
    return made / "usr/sbin/sshd", library


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
