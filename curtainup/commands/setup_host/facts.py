"""What a machine is, and what of a Docker host it has already. Looking changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import Literal, cast

from curtainup.errors import SetupError
from curtainup.platforms.ssh.connection import Connection
from curtainup.platforms.ssh.failures import NOTHING_DONE

Rights = Literal["root", "sudo", "asked", "none"]
"""`root` is root; `sudo` needs no password for it; `asked` is asked for one; `none` cannot become root."""
OLDEST = {"debian": (11,), "ubuntu": (20, 4)}
"""The first releases whose docker.io is 20.10 or newer."""
SUDO = "sudo -n"
_PATH = "export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin\n"
_MACHINE = f"""{_PATH}
if [ -r /etc/os-release ]; then . /etc/os-release; fi
echo "id=$ID"
echo "version=$VERSION_ID"
echo "system=$PRETTY_NAME"
echo "login=$(id -un)"
command -v apt-get >/dev/null && echo apt=yes
[ -d /run/systemd/system ] && echo systemd=yes
if [ "$(id -u)" = 0 ]; then echo rights=root
elif ! command -v sudo >/dev/null; then echo rights=none
elif sudo -n true 2>/dev/null; then echo rights=sudo
else echo rights=asked; fi
"""
_DOCKER_HOST = f"""{_PATH}
has_keys() {{ grep -qs '^[^#]' "$(getent passwd "$1" | cut -d: -f6)/.ssh/authorized_keys"; }}
if command -v dockerd >/dev/null || [ -e /snap/docker ] || [ -S /var/run/docker.sock ]; then
    echo engine=yes
fi
echo "enabled=$(systemctl is-enabled docker.service 2>/dev/null)"
echo "active=$(systemctl is-active docker.service 2>/dev/null)"
if id "$user" >/dev/null 2>&1; then
    echo user=yes
    echo "uid=$(id -u "$user")"
    echo "groups=$(id -nG "$user")"
    has_keys "$user" && echo keys=yes
fi
has_keys "$login" && echo login_keys=yes
dpkg-query -W -f '${{db:Status-Status}}' unattended-upgrades 2>/dev/null | grep -qx installed &&
    apt-config dump APT::Periodic::Unattended-Upgrade | grep -q '"1"' && echo upgrades=yes
ufw status 2>/dev/null | grep -qx 'Status: active' && echo firewall=ufw
systemctl is-active --quiet firewalld.service 2>/dev/null && echo firewall=firewalld
true
"""


@dataclass(frozen=True)
class Facts:
    """A machine as it was found.

    Attributes:
        system: Debian or Ubuntu, with its release, in its own words.
        login: the user who logs in.
        rights: how that user becomes root.
        user: the user who is to use Docker.
        has_engine: whether a Docker engine is installed, be it as a snap, or something that plays one.
        is_enabled: whether it starts when the machine does; None if nobody knows how it starts.
        is_active: whether it runs.
        has_user: whether there is the user.
        is_root: whether the user is root, who may use Docker anyway.
        in_group: whether the user is in Docker's group.
        has_keys: whether keys let the user in.
        login_has_keys: whether keys let in the one who logs in.
        upgrades: whether it brings security updates by itself.
        firewall: the firewall that is active, as far as it is known.

    """

    system: str
    login: str
    rights: Rights
    user: str
    has_engine: bool = False
    is_enabled: bool | None = False
    is_active: bool = False
    has_user: bool = False
    is_root: bool = False
    in_group: bool = False
    has_keys: bool = False
    login_has_keys: bool = False
    upgrades: bool = False
    firewall: str | None = None


def look(connection: Connection, user: str | None) -> Facts:
    """Look at a machine.

    Args:
        connection: leads there.
        user: who is to use Docker there; None is the user who logs in.

    Raises:
        HostUnreachable: there is no connection.
        SetupError: curtainup cannot prepare such a machine.

    """
    where = str(connection.address)
    machine = _said(connection.shell(_MACHINE))
    _require_known(where, machine)
    login = machine["login"]
    chosen = user or login
    before = SUDO if machine["rights"] == "sudo" else ""
    ran = connection.run(f"user={quote(chosen)}\nlogin={quote(login)}\n{_DOCKER_HOST}", before)
    found = _said(ran.out if ran is not None and ran.code == 0 else "")
    if not found:
        raise _refused("the host does not say what it has", where, "run the same command again")
    return facts(machine, found, chosen)


def facts(machine: dict[str, str], found: dict[str, str], user: str) -> Facts:
    """Return what both scripts have said, as facts."""
    has_engine = "engine" in found
    known = found.get("enabled", "") not in ("", "not-found")
    return Facts(
        system=machine.get("system", ""),
        login=machine["login"],
        rights=cast(Rights, machine["rights"]),
        user=user,
        has_engine=has_engine,
        is_enabled=None if has_engine and not known else found.get("enabled") == "enabled",
        is_active=found.get("active") == "active",
        has_user="user" in found,
        is_root=found.get("uid") == "0",
        in_group="docker" in found.get("groups", "").split(),
        has_keys="keys" in found,
        login_has_keys="login_keys" in found,
        upgrades="upgrades" in found,
        firewall=found.get("firewall"),
    )


def require_rights(found: Facts, where: str) -> None:
    """Raise SetupError if whoever logs in may change nothing there."""
    login = found.login
    if found.rights == "asked":
        raise _refused(
            f"sudo asks {login} for a password on the host, and curtainup never gives one",
            where,
            f"log in as root; or let {login} use sudo without a password while you set it up. On the host: "
            f"echo '{login} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{login}",
        )
    if found.rights == "none":
        raise _refused(
            f"{login} may not install anything on the host: there is no sudo",
            where,
            f"log in as root: curtainup setup-host ssh://root@HOST --user {found.user}",
        )


def _require_known(where: str, machine: dict[str, str]) -> None:
    """Raise SetupError for a machine that curtainup does not prepare."""
    if not machine:
        raise _refused(
            "the host gives this user no shell",
            where,
            "give the user a shell there, or log in as another",
        )
    system = machine.get("system") or "an unknown system"
    if _is_too_old(machine) or "apt" not in machine or "systemd" not in machine:
        raise _refused(
            f"this host is {system}; curtainup prepares Debian 11, Ubuntu 20.04 and newer, with systemd",
            where,
            "install Docker 20.10 or newer there as its makers say, and let your user use it: docs/server.md",
        )


def _is_too_old(machine: dict[str, str]) -> bool:
    """Return whether it is no Debian or Ubuntu, or an old one; one without a number is Debian's next."""
    oldest = OLDEST.get(machine.get("id", ""))
    version = machine.get("version", "")
    if oldest is None:
        return True
    return bool(version) and tuple(int(part) for part in version.split(".") if part.isdigit()) < oldest


def _refused(what: str, where: str, fix: str) -> SetupError:
    return SetupError(what, where=where, consequence=NOTHING_DONE, fix=fix)


def _said(text: str) -> dict[str, str]:
    """Return the lines NAME=VALUE of a script; those without a value are left out."""
    pairs = (line.partition("=")[::2] for line in text.splitlines())
    return {name: value for name, value in pairs if value}
