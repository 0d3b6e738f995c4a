"""What it means when ssh does not connect, as an error for people.

The patterns are OpenSSH's own messages, which it does not translate (ssh.c, sshconnect.c, sshconnect2.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from curtainup.errors import HostUnreachable
from curtainup.util.ssh_address import Address

NOTHING_DONE = "nothing was built or changed"
_KEY = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_OFFENDING = re.compile(r"Offending \S+ key in (\S+):(\d+)")
_DENIED = re.compile(r"Permission denied \(([^)]*)\)")
_NO_KEYS = {1: "the SSH agent holds no key", 2: "no SSH agent runs here"}
"""What the exit code of `ssh-add -l` means."""

Explain = Callable[[], str]
"""Tries to connect once more, and returns what ssh says of it in detail."""


def error(
    address: Address,
    said: str,
    real: Callable[[], Address],
    explain: Explain,
    agent: Callable[[], int],
) -> HostUnreachable:
    """Return the error of a connection that did not come about.

    Args:
        address: of the host.
        said: what ssh has written on standard error.
        real: returns the address without the user's alias for it, as known_hosts has it.
        explain: asked for the host's key where that matters.
        agent: returns the exit code of `ssh-add -l`.

    """
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return _changed(address, real(), said, explain())
    if "Host key verification failed" in said or "you have requested strict checking" in said:
        return _unknown(address, real(), said, explain())
    if (denied := _DENIED.search(said)) is not None:
        return _denied(address, denied[1].split(","), said, agent())
    for pattern, (what, fix) in _PLAIN.items():
        if re.search(pattern, said, re.IGNORECASE):
            return _error(address, what, fix.format(host=address.host, login=address.login), said)
    return _error(address, "ssh does not connect", f"find out why with: ssh -v {_typed(address)} true", said)


_PLAIN: Mapping[str, tuple[str, str]] = {
    "Could not resolve hostname": (
        "the name of the Docker host does not resolve",
        "correct {host} in `docker_host`, or give it an address in ~/.ssh/config (HostName)",
    ),
    "Connection refused": (
        "no SSH server listens on the Docker host",
        "start its SSH server, or correct the port in `docker_host: ssh://USER@HOST:PORT`",
    ),
    "timed out|no answer within": (
        "the Docker host does not answer",
        "check that {host} runs, and that its firewall lets SSH in",
    ),
    "No route to host|Network is unreachable": (
        "there is no way to the Docker host's network",
        "check this machine's network, and the address of {host}",
    ),
    "Bad configuration option|Bad owner or permissions|terminating, .* bad configuration": (
        "ssh cannot read its configuration",
        "correct the file that it names",
    ),
    "Too many authentication failures": (
        "the Docker host refused too many keys of the agent",
        "name one key for {host} in ~/.ssh/config: IdentityFile and `IdentitiesOnly yes`",
    ),
    "Connection closed by|Connection reset by|kex_exchange_identification": (
        "the Docker host closed the connection before anybody had logged in",
        "try again in a minute: too many logins may be under way (MaxStartups). Else: ssh -v {login} true",
    ),
    "ssh: not found": ("there is no ssh on this machine", "install OpenSSH's client: openssh-client"),
}


def _unknown(address: Address, real: Address, said: str, detail: str) -> HostUnreachable:
    kind, fingerprint = _key(detail)
    return _error(
        address,
        "the key of the Docker host is not known here",
        f"compare the fingerprint with what the host itself says: ssh-keygen -lf {_key_file(kind)}. If it is "
        f"the same: ssh-keyscan -t {_scanned(kind)}{_port(real)} {real.host} >> ~/.ssh/known_hosts",
        said,
        f"{address}, {kind} {fingerprint}",
    )


def _changed(address: Address, real: Address, said: str, detail: str) -> HostUnreachable:
    kind, fingerprint = _key(detail or said)
    known = _OFFENDING.search(said)
    file, line = known.groups() if known else ("~/.ssh/known_hosts", "?")
    return _error(
        address,
        "the Docker host shows another key than it did before",
        "somebody may stand between you and it. If the host was installed anew, compare the fingerprint with "
        f"what it says itself (ssh-keygen -lf {_key_file(kind)}). Then: "
        f"ssh-keygen -f {file} -R {_listed(real)}, "
        f"and ssh-keyscan -t {_scanned(kind)}{_port(real)} {real.host} >> {file}",
        said,
        f"{address}, now {kind} {fingerprint}; the known one is in {file}, line {line}",
    )


def _denied(address: Address, methods: list[str], said: str, agent: int) -> HostUnreachable:
    if "publickey" not in methods:
        return _error(
            address,
            "the Docker host asks for a password, and curtainup never gives one",
            f"let it take your key: ssh-copy-id {_typed(address)}",
            said,
        )
    why = f"; {_NO_KEYS[agent]}" if agent in _NO_KEYS else ""
    return _error(
        address,
        f"the Docker host refuses your key{why}",
        f"ssh {_typed(address)} has to work without a question: add your key there (ssh-copy-id), or here "
        "(ssh-add, for a key with a passphrase), and check the user in `docker_host`",
        said,
    )


def _error(address: Address, what: str, fix: str, said: str, where: str | None = None) -> HostUnreachable:
    return HostUnreachable(
        what,
        where=where or str(address),
        consequence=NOTHING_DONE,
        fix=fix,
        detail=said.strip() or None,
    )


def _key(text: str) -> tuple[str, str]:
    """Return kind and fingerprint of the key that the host has shown: the last one, behind jump hosts."""
    found = _KEY.findall(text)
    return found[-1] if found else ("key", "without a fingerprint")


def _scanned(kind: str) -> str:
    """Return a kind of key as ssh-keyscan calls it."""
    plain = kind.removeprefix("ssh-").partition("-")[0]
    return plain if plain in {"ed25519", "rsa", "ecdsa"} else "ed25519"


def _key_file(kind: str) -> str:
    return f"/etc/ssh/ssh_host_{_scanned(kind)}_key.pub"


def _port(address: Address) -> str:
    return f" -p {address.port}" if address.port else ""


def _typed(address: Address) -> str:
    return f"-p {address.port} {address.login}" if address.port else address.login


def _listed(address: Address) -> str:
    """Return the host as known_hosts has it."""
    return f"'[{address.host}]:{address.port}'" if address.port else address.host
