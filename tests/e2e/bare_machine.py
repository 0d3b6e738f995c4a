"""A bare Debian server on this machine, with a systemd, an sshd and packages of its own, reached by SSH.

Debian's packages are unpacked once, into the cache; each machine writes over them in memory. It reaches the
package mirrors through this machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from curtainup.setup import paths
from tests.e2e import second_machine
from tests.e2e.debian_packages import unpacked
from tests.e2e.second_machine import SecondMachine

CGROUPS = Path("/sys/fs/cgroup")
HYBRID = ("systemd", "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
IS_POSSIBLE = (
    second_machine.IS_POSSIBLE
    and (CGROUPS / "systemd").is_dir()
    and all(map(shutil.which, ("apt-get", "iptables")))
)
WHY_NOT = f"{second_machine.WHY_NOT}, apt-get, iptables and version 1 of control groups"
SUITE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
BOOT = """\
set -eu
root=$1
mount -t tmpfs tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t tmpfs -o mode=755 tmpfs $root/dev
for name in {devices}; do touch $root/dev/$name; mount --bind /dev/$name $root/dev/$name; done
mkdir $root/dev/pts $root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
mount -t tmpfs tmpfs $root/dev/shm
mount -t tmpfs -o mode=755 tmpfs $root/sys/fs/cgroup
for name in {controllers}; do
    mkdir $root/sys/fs/cgroup/$name
    case $name in systemd) kind=none,name=systemd ;; *) kind=$name ;; esac
    mount -t cgroup -o $kind cgroup $root/sys/fs/cgroup/$name
done
cd $root
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""
ENTER = """\
set -eu
for name in {controllers}; do
    mkdir -p {cgroups}/$name/{name}
    if [ $name = cpuset ]; then
        for kind in cpuset.cpus cpuset.mems; do
            cat {cgroups}/cpuset/$kind >{cgroups}/cpuset/{name}/$kind
        done
    fi
    echo $$ >{cgroups}/$name/{name}/cgroup.procs
done
exec "$@"
"""


class BareMachine(SecondMachine):
    """The server. `root` and `admin`, who may use sudo, log in with the key of the tests, and `plain` too.

    `asked` is in the group sudo, whose members sudo asks for a password.
    """

    @property
    def root(self) -> Path:
        """Its file system."""
        return self.folder / "data" / "root"

    def make(self) -> None:
        """Make its network, its disk, its users and its keys.

        Raises:
            subprocess.CalledProcessError: this machine does not allow that; the machine is to be removed.

        """
        super().make()
        disk = self.folder / "data"
        for name in ("upper", "work", "root", "docker"):
            (disk / name).mkdir()
        layers = f"lowerdir={_debian()},upperdir={disk}/upper,workdir={disk}/work"
        _run("mount", "-t", "overlay", "-o", layers, "overlay", str(self.root))
        _run("mount", "--bind", str(disk / "docker"), _made(self.root / "var/lib/docker"))
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "etc/hostname").write_text("shop\n")
        for command in ("useradd -m -s /bin/sh admin", "useradd -m -s /bin/sh -G sudo asked"):
            self._inside_root(*command.split(), "-p", "*")
        self._inside_root("useradd", "-m", "-s", "/bin/sh", "-p", "*", "plain")
        (self.root / "etc/sudoers.d/admin").write_text("admin ALL=(ALL) NOPASSWD: ALL\n")
        for home in ("root", "home/admin", "home/asked", "home/plain"):
            self._let_in(home)
        for file in (self.root / "etc/ssh").glob("ssh_host_*"):
            file.unlink()
        for name in ("host_key", "host_key.pub"):
            shutil.copy(self.folder / name, self.root / "etc/ssh" / name.replace("host", "ssh_host_ed25519"))
        for rule in self._routes():
            _run("iptables", *rule.replace("MODE", "-I").split())

    def boot(self, *, with_docker: bool = False) -> None:
        """Start it, and wait until its SSH server answers."""
        assert not with_docker, "it is bare"
        controllers = " ".join(HYBRID)
        boot = BOOT.format(devices=" ".join(DEVICES), controllers=controllers)
        enter = ENTER.format(controllers=controllers, cgroups=CGROUPS, name=self.name)
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--mount-proc"]
        unshare = ["unshare", *spaces, "--propagation", "private", "sh", "-c", boot, "boot", str(self.root)]
        with (self.folder / "boot.log").open("ab") as log:
            self._init = subprocess.Popen(
                ["sh", "-c", enter, "enter", *self.inside, *unshare],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait(lambda: second_machine._answers(self.folder, "true", "root@shop"), "SSH server")

    def crash(self) -> None:
        """Take its power away: all of its processes end at once."""
        super().crash()
        deadline = time.monotonic() + second_machine.PATIENCE
        groups = CGROUPS / "pids" / self.name
        while any(file.read_text() for file in groups.rglob("cgroup.procs")):
            assert time.monotonic() < deadline, "its processes do not end"
            time.sleep(0.05)

    def on(self, script: str) -> str:
        """Run a script there as root, and return what it prints."""
        command = [str(self.folder / "bin" / "ssh"), "root@shop", script]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout

    def logins(self) -> int:
        """How often its user `deploy` has logged in since it was started."""
        return int(self.on("journalctl --unit ssh --boot | grep -c 'Accepted publickey for deploy' || true"))

    @contextmanager
    def engine_led(self) -> Iterator[None]:
        """Have `engine` lead to its Docker engine, for the tests themselves, whenever it is up."""
        place = self.folder / "docker.sock"
        lead = f"while true; do rm -f {place}; ssh -N -L {place}:/run/docker.sock root@shop; sleep 0.5; done"
        environ = {**os.environ, **self.environ}
        with subprocess.Popen(
            ["sh", "-c", lead], env=environ, stderr=subprocess.DEVNULL, start_new_session=True
        ) as leading:
            try:
                self._wait(place.exists, "way to Docker")
                yield
            finally:
                os.killpg(leading.pid, signal.SIGKILL)

    def remove(self) -> None:
        """Stop it and take away what `make` has made, as far as it is there."""
        self.crash()
        for rule in self._routes():
            subprocess.run(
                ["iptables", *rule.replace("MODE", "-D").split()], capture_output=True, check=False
            )
        for place in (self.root / "var/lib/docker", self.root):
            subprocess.run(["umount", str(place)], capture_output=True, check=False)
        for group in CGROUPS.glob(f"*/{self.name}"):
            subprocess.run(
                ["find", str(group), "-depth", "-type", "d", "-delete"], capture_output=True, check=False
            )
        super().remove()

    def _routes(self) -> list[str]:
        """The rules by which it reaches the mirrors, which forget who asked."""
        return [
            f"-t nat MODE POSTROUTING -s {self.address} ! -o {self._link} -j MASQUERADE",
            f"MODE FORWARD -s {self.address} -j ACCEPT",
            f"MODE FORWARD -d {self.address} -j ACCEPT",
        ]

    def _let_in(self, home: str) -> None:
        folder = self.root / home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        keys = shutil.copy(self.folder / "key.pub", folder / "authorized_keys")
        owner = (self.root / home).stat()
        for path in (folder, Path(keys)):
            shutil.chown(path, owner.st_uid, owner.st_gid)

    def _inside_root(self, *command: str) -> None:
        _run("chroot", str(self.root), *command)


def _debian() -> Path:
    """Return the files of a bare Debian, which are fetched once."""
    made = paths.cache_dir() / "tests" / f"debian-{SUITE}"
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{made}.lock"):
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=made.parent) as folder:
                _fetch(Path(folder))
                (Path(folder) / "root").rename(made)
    return made


def _fetch(folder: Path) -> None:
    """Have debootstrap make Debian in `folder`/root."""
    tool = unpacked("debootstrap", "debootstrap") / "usr"
    subprocess.run(
        [
            *(tool / "sbin/debootstrap", "--variant=minbase", f"--include={PACKAGES}"),
            *(SUITE, folder / "root"),
        ],
        env={"DEBOOTSTRAP_DIR": str(tool / "share/debootstrap"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=True,
        capture_output=True,
        timeout=900,
    )


def _made(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
