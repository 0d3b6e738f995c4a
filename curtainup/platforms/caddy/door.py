"""Asks and changes a running door through the Docker API alone, so that a remote engine works too."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.errors import EngineFailed, HttpsFailed
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.caddy.config import NAME
from curtainup.platforms.haproxy.proxy import docker_errors
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    from docker import APIClient

USER = 10080
"""As which Caddy runs in our images."""
_NO_OWN = "getting certificate from external certificate manager"
"""What Caddy complains of where it was given no certificate, which is no trouble."""
OWN, ELSEWHERE, NO_NAME, SILENT = "own", "elsewhere", "no name", "silent"
"""Where a name leads to: to this door, to somebody else, nowhere, or to what does not answer."""

# A second claim of a name by somebody else changes nothing; the first claim of two at once wins.
_CLAIM = """\
set -eu
mkdir -p "$ROUTES"
printf '%s' "$OWNER" >"$ROUTES/.$HOST.$$"
ln "$ROUTES/.$HOST.$$" "$ROUTES/$HOST" 2>/dev/null || true
rm "$ROUTES/.$HOST.$$"
cat "$ROUTES/$HOST"
"""
_RELEASE = """\
set -eu
if [ "$(cat "$ROUTES/$HOST" 2>/dev/null)" = "$OWNER" ]; then rm "$ROUTES/$HOST"; fi
"""
_OWNER = 'cat "$ROUTES/$HOST" 2>/dev/null || true'
_HAS_OWN = 'if [ -e "$OWN/$HOST.pem" ]; then echo yes; fi'
_MAKE_OWN = 'mkdir -p -m 700 "$OWN"'
_TAKE_OWN = 'mv "$OWN/$HOST.new" "$OWN/$HOST.pem"'
_DROP_OWN = 'rm -f "$OWN/$HOST.pem" "$OWN/$HOST.aside"'
_SET_ASIDE = 'if [ -e "$OWN/$HOST.pem" ]; then mv "$OWN/$HOST.pem" "$OWN/$HOST.aside"; fi'
_TAKE_BACK = """\
if [ -e "$OWN/$HOST.aside" ] && [ ! -e "$OWN/$HOST.pem" ]; then mv "$OWN/$HOST.aside" "$OWN/$HOST.pem"; fi
"""
# Whitespace is no difference between two PEM files.
_SHOWS_OWN = """\
first() { awk '/BEGIN CERT/ {on = 1} on {print} /END CERT/ {exit}' | tr -d '[:space:]'; }
shown=$(curl --silent --noproxy '*' --head --output /dev/null --max-time 3 --write-out '%{certs}' --insecure \
--resolve "$HOST:443:127.0.0.1" "https://$HOST/" | first)
if [ "$shown" = "$(first <"$OWN/$HOST.pem")" ]; then echo yes; fi
"""
_HOSTS = 'ls "$ROUTES" 2>/dev/null || true'
_KNOCK = """\
code=0
answer=$(curl --silent --noproxy '*' --max-time 5 --max-filesize 4096 "http://$HOST$KNOCK") || code=$?
address=$(getent ahostsv4 "$HOST" 2>/dev/null | awk 'NR == 1 {print $1}')
printf '%s\\n%s %s' "$answer" "$address" "$code"
"""
# What comes back is the status, or 000 if there is no connection: without a certificate there is none. The
# request is for a name that no service has, so that it is the door that answers.
_GREET = """\
curl --silent --noproxy '*' --head --output /dev/null --max-time 3 --write-out '%{http_code}' --insecure \
--header 'Host: door' --resolve "$HOST:443:127.0.0.1" "https://$HOST/" || true
"""
_NO_NAME, _REFUSED, _TIMED_OUT = "6", "7", "28"
"""Exit codes of curl."""


@dataclass(frozen=True)
class Knocked:
    """What came of asking a name for its door.

    Attributes:
        where: one of OWN, ELSEWHERE, NO_NAME and SILENT.
        address: that the name leads to, if it leads to one.

    """

    where: str
    address: str = ""


class Door:
    """One door's container."""

    def __init__(self, api: APIClient, container: str = NAME) -> None:
        """Ask the container of that name or id."""
        self._api = api
        self._container = container

    def claim(self, host: str, owner: str) -> None:
        """Give a name to an owner, from when on the door lets requests for it in.

        Raises:
            HttpsFailed: it belongs to another one.

        """
        _require_same(host, self._run(_CLAIM, HOST=host, OWNER=owner).strip(), owner)

    def require_free(self, host: str, owner: str) -> None:
        """Check that a name belongs to an owner, or to nobody.

        Raises:
            HttpsFailed: it belongs to another one.

        """
        _require_same(host, self.owner(host) or owner, owner)

    def release(self, host: str, owner: str) -> None:
        """Take a name from its owner; the door lets no requests for it in any more."""
        self._run(_RELEASE, HOST=host, OWNER=owner)

    def owner(self, host: str) -> str:
        """Return to whom a name belongs; empty is nobody."""
        return self._run(_OWNER, HOST=host).strip()

    def has_own(self, host: str) -> bool:
        """Return whether the door has been given a certificate for a name."""
        return bool(self._run(_HAS_OWN, HOST=host).strip())

    def give_own(self, host: str, whole: Secret) -> None:
        """Give the door a certificate for a name; the next handshake uses it."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            content = whole.reveal().encode()
            entry = tarfile.TarInfo(f"{host}.new")
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o400, USER, USER
            archive.addfile(entry, io.BytesIO(content))
        self._run(_MAKE_OWN)
        with docker_errors(f"door {self._container}"):
            self._api.put_archive(self._container, caddy.OWN, stream.getvalue())
        self._run(_TAKE_OWN, HOST=host)

    def shows_own(self, host: str) -> bool:
        """Return whether the door shows visitors the certificate that it was given for a name."""
        return bool(self._run(_SHOWS_OWN, HOST=host).strip())

    def set_aside_own(self, host: str) -> None:
        """Have the door use the certificate that it was given for a name no more, and keep it."""
        self._run(_SET_ASIDE, HOST=host)

    def take_back_own(self, host: str) -> None:
        """Have the door use again what was set aside."""
        self._run(_TAKE_BACK, HOST=host)

    def drop_own(self, host: str) -> None:
        """Have the door forget the certificate that it was given for a name."""
        self._run(_DROP_OWN, HOST=host)

    def hosts(self) -> tuple[str, ...]:
        """Return the names that the door lets requests in for."""
        return tuple(self._run(_HOSTS).split())

    def knock(self, host: str, door: str) -> Knocked:
        """Ask a name, over HTTP, which door it leads to, and compare that with this door's name."""
        said, _, facts = self._run(_KNOCK, HOST=host, KNOCK=caddy.KNOCK).rpartition("\n")
        address, _, code = facts.strip().rpartition(" ")
        if said.strip() == door:
            return Knocked(OWN, address)
        if code == _NO_NAME:
            return Knocked(NO_NAME)
        return Knocked(SILENT if code in {_REFUSED, _TIMED_OUT} else ELSEWHERE, address)

    def greets(self, host: str) -> bool:
        """Return whether the door answers over HTTPS as that name; that makes it ask for a certificate."""
        return self._run(_GREET, HOST=host).strip() not in {"", "000"}

    def complaints(self, host: str, since: float) -> Iterator[str]:
        """Give what the ACME server, or the way to it, had against a certificate for the name.

        Args:
            host: the name.
            since: the time from which on, in seconds of the Docker host's clock.

        """
        whole = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])")
        with docker_errors(f"door {self._container}"):
            log = self._api.logs(self._container, since=since, stdout=True, stderr=True)
        for line in log.decode(errors="replace").splitlines():
            entry = _entry(line)
            if entry.get("level") == "error" and whole.search(line) and entry.get("msg") != _NO_OWN:
                yield str(entry.get("error") or entry.get("msg"))

    def _run(self, script: str, **variables: str) -> str:
        """Run a script in the container and return what it prints.

        Raises:
            EngineFailed: it failed, or the container does not run.
            LookupError: there is no such container.

        """
        environment = {"ROUTES": caddy.ROUTES, "OWN": caddy.OWN, **variables}
        with docker_errors(f"door {self._container}"):
            job = self._api.exec_create(self._container, ["sh", "-c", script], environment=environment)["Id"]
            output = str(self._api.exec_start(job).decode(errors="replace"))
            code = self._api.exec_inspect(job)["ExitCode"]
        if code:
            raise EngineFailed(
                "the door of the Docker host does not do what it is asked",
                where=f"container {self._container}",
                fix=f"read its log, and restart it: docker restart {self._container}",
                detail=output.strip() or f"nothing was printed, exit code {code}",
            )
        return output


def is_joined(facts: Mapping[str, Any], network: str, host: str) -> bool:
    """Return whether a proxy, as the engine describes it, is on a door's network under a name."""
    found = facts["NetworkSettings"]["Networks"].get(network)
    return found is not None and caddy.alias(host) in (found.get("Aliases") or [])


def _require_same(host: str, found: str, owner: str) -> None:
    if found != owner:
        raise HttpsFailed(
            f"the name belongs to {found} on this Docker host",
            where=f"HTTPS of {host}",
            consequence="its requests still go there, and the name was left alone",
            fix=f"use another host, or deploy {found} without it, or destroy it; "
            f"if there is no {found} any more: docker exec {NAME} rm {caddy.ROUTES}/{host}",
        )


def _entry(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
