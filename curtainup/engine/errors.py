"""The one place where a failed Pulumi command becomes an error of curtainup."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from curtainup.errors import (
    Busy,
    CurtainupError,
    DiskFull,
    EngineFailed,
    HttpsFailed,
    PortTaken,
    SetupError,
    StateError,
)
from curtainup.platforms.caddy import config as caddy

_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_READ_ONLY = re.compile(
    r"\b(?:open|write|mkdir|rename|create|mkdirtemp) \S+: read-only file system", re.IGNORECASE
)
"""What the engine itself says; a container whose own disk is read-only says it otherwise."""
_PORT = re.compile(
    r"(?:Bind for |listen tcp[46]? |exposing port TCP |bind host port for )"
    r"(?P<at>(?:[\d.]+|\[[\da-f:]+\]|::|):\d+).*?"
    r"(?:port is already allocated|address already in use)",
    re.IGNORECASE | re.DOTALL,
)
_NO_DOCKER = re.compile(
    r"Cannot connect to the Docker daemon|error pinging Docker server|docker\.sock", re.IGNORECASE
)
_PASSPHRASE = re.compile(
    r"incorrect passphrase|passphrase must be set|PULUMI_CONFIG_PASSPHRASE", re.IGNORECASE
)
_KEY = re.compile(
    r"operation error KMS: (?:En|De)crypt|open keeper \S+:|/transit/(?:en|de)crypt/"
    r"|cloudkms\.cryptoKeyVersions|vault\.azure\.net/keys/\S+/(?:en|de)crypt",
    re.IGNORECASE,
)
"""What the libraries of secrets providers say of a key that they cannot use."""
_NO_PLUGIN = re.compile(
    r"no folder at path|no resource plugin|could not load plugin|failed to load plugin|unknown plugin",
    re.IGNORECASE,
)
_MADE_ELSEWHERE = re.compile(
    r'container name "/(?P<container>[^"]+)" is already in use'
    r"|network with name (?P<network>\S+) already exists"
)
_HTTPS = re.compile(
    r"(?P<where>HTTPS of \S+): (?P<what>[^;]+); (?P<consequence>[^;]+); fix: (?P<fix>.*?)"
    r"(?:; \((?P<detail>.*)\))?$",
    re.MULTILINE,
)
"""What our own provider says of a route through the door."""
_COUNT = re.compile(r"\d+ errors? occurred:")
_FAILED = "update failed"
_OUTPUT_LINES = 30


def translated(
    error: CommandError, messages: Sequence[str], where: str, failing: Sequence[str] = ()
) -> CurtainupError:
    """Return the error to raise for a failed command.

    Args:
        error: the SDK's error; its text contains the command's whole output.
        messages: the error diagnostics of the operation, if there were any.
        where: the operation and the stack.
        failing: the URNs of the resources that failed.

    """
    if isinstance(error, ConcurrentUpdateError):
        return _busy(error, where)
    text = "\n".join(messages) or _said(error)
    for pattern, kind in _KINDS:
        found = pattern.search(text)
        if found:
            return kind(found, text, where)
    headline = _headline(text)
    failed = EngineFailed(
        headline,
        where=where,
        consequence="the update stopped there; the stack has recorded what it did until then",
        fix="fix the cause and run the same command again: it continues where the update stopped",
        detail=_tail(text) if _says_more(text, headline) else None,
    )
    failed.failing = tuple(failing)
    return failed


def _busy(error: ConcurrentUpdateError, where: str) -> CurtainupError:
    return Busy(
        "another update of this stack is under way",
        where=where,
        consequence="this update did not start",
        fix="wait for it to end; use `curtainup pulumi cancel` only if you know that it is dead",
        detail=_locked_by(str(error)),
    )


def _disk_full(_found: re.Match[str], text: str, where: str) -> CurtainupError:
    return DiskFull(
        "no space is left on the disk",
        where=where,
        consequence="the step did not finish",
        fix="free some space (docker system df shows what images hold), then run the same command again",
        detail=_tail(text),
    )


def _read_only(found: re.Match[str], text: str, where: str) -> CurtainupError:
    return DiskFull(
        "the disk is read-only",
        where=f"{found[0].split()[1].rstrip(':')}, {where}",
        consequence="the step did not finish",
        fix="make the disk writable (`mount` shows how it is mounted), and run the same command again",
        detail=_tail(text),
    )


def _port_taken(found: re.Match[str], _text: str, where: str) -> CurtainupError:
    return PortTaken(
        f"port {found['at']} belongs to something else",
        where=where,
        consequence="the container that needs it did not start",
        fix="free the port, or set `port:` for this environment in pym-config.yaml"
        if int(found["at"].rpartition(":")[2]) not in caddy.PORTS
        else caddy.FREE_PORTS,
    )


def _no_https(found: re.Match[str], _text: str, _where: str) -> CurtainupError:
    return HttpsFailed(**found.groupdict())


def _no_docker(_found: re.Match[str], text: str, where: str) -> CurtainupError:
    return _set_up("no Docker engine answers", text, where)


def _no_plugin(_found: re.Match[str], text: str, where: str) -> CurtainupError:
    return _set_up("the Pulumi engine cannot find one of its plugins", text, where)


def _set_up(what: str, text: str, where: str) -> CurtainupError:
    return SetupError(
        what,
        where=where,
        consequence="nothing was changed",
        fix="curtainup doctor --fix",
        detail=_tail(text),
    )


def _wrong_passphrase(_found: re.Match[str], _text: str, where: str) -> CurtainupError:
    return StateError(
        "the passphrase does not open this stack's secrets",
        where=where,
        consequence="nothing was changed",
        fix="set PULUMI_CONFIG_PASSPHRASE_FILE to the file that the stack was created with",
    )


def _no_key(_found: re.Match[str], text: str, where: str) -> CurtainupError:
    return StateError(
        "the key of this stack's secrets cannot be used",
        where=where,
        consequence="nothing was changed",
        fix="log in as somebody who may encrypt and decrypt with the key that the stack was made with "
        "(`secrets_provider:` in pym-config.yaml)",
        detail=_tail(text),
    )


def _made_elsewhere(found: re.Match[str], _text: str, where: str) -> CurtainupError:
    """Say that another state has what this one wanted to make; the other one may be serving with it."""
    return StateError(
        f"{found['container'] or found['network']} is there already, and another state made it",
        where=where,
        consequence="it may serve for another user, so it stays as it is, and this update stopped",
        fix="deploy with the state that made it (PULUMI_BACKEND_URL, or `backend:` in pym-config.yaml; each "
        "user has another without these), or give this service another `name:`",
    )


_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, str], CurtainupError]], ...] = (
    (_NO_SPACE, _disk_full),
    (_READ_ONLY, _read_only),
    (_PORT, _port_taken),
    (_HTTPS, _no_https),
    (_MADE_ELSEWHERE, _made_elsewhere),
    (_NO_DOCKER, _no_docker),
    (_NO_PLUGIN, _no_plugin),
    (_KEY, _no_key),
    (_PASSPHRASE, _wrong_passphrase),
)


def _said(error: CommandError) -> str:
    """Return the command's standard error, or its standard output, from the SDK's text of both."""
    output, _, errors = str(error).partition("\n stdout: ")[2].rpartition("\n stderr: ")
    return errors.strip() or output.strip()


def _headline(text: str) -> str:
    """Return the first line that says something: some providers begin with a count of their errors."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line.removeprefix("* ") for line in lines if line and not _COUNT.fullmatch(line)]
    return telling[0].removeprefix("error: ") if telling else "the engine failed without a message"


def _says_more(text: str, headline: str) -> bool:
    """Return whether there is more than the headline, its repetition, and the engine's last line."""
    lines = [line.strip().removeprefix("* ").removeprefix("error: ") for line in text.splitlines()]
    return any(line and line not in {headline, _FAILED} and not _COUNT.fullmatch(line) for line in lines)


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_OUTPUT_LINES:])


def _locked_by(text: str) -> str | None:
    found = re.search(r"created by .*", text)
    return found.group(0) if found else None
