"""`curtainup doctor`: each piece that a deployment stands on, its version, whether it is fine, and the fix.

Looking changes nothing. Mending brings what can be brought, piece by piece: one that fails does not keep
the others from being mended.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from curtainup.commands.doctor import engines
from curtainup.engine import workspace
from curtainup.errors import CurtainupError, SetupError
from curtainup.model.checks import Check, Found, Piece
from curtainup.platforms.docker.hosts import HERE, Host, There
from curtainup.setup import debian, docker_engine, engine, language_host, paths, provider, pulumi
from curtainup.setup.base_images import catalogue, images
from curtainup.setup.process import Report

SPACE_NEEDED = 2_000_000_000
"""Bytes: a build of an image with its layers, and the same again."""

DOCKER_ROOT = Path("/var/lib/docker")
NOT_LOOKED_AT = "not looked at"
INSTALLED = {"git", "Docker engine", engines.ENGINE}
"""Pieces that only a package of the system brings."""
OWN_PROVIDER = "pulumi-resource-curtainup"


def checks() -> list[Check]:
    """Look at every piece of the machine; nothing is changed."""
    return look_at(PIECES)


def run(fix: bool, report: Report, more: Iterable[Piece] = (), host: Host = HERE) -> list[Check]:
    """Look at every piece, those that others need first, and with `fix` mend what is not fine.

    Args:
        fix: whether to mend.
        report: gets a line for each thing that is done.
        more: pieces besides those of the machine.
        host: the machine of the Docker engine.

    """
    pieces = [_there(piece, host) if isinstance(host, There) else piece for piece in PIECES]
    return look_at((*pieces, *more), partial(_mended, report=report) if fix else _look)


def _there(piece: Piece, host: There) -> Piece:
    """Return a piece as it is with a Docker engine on another machine; a person has to mend it there."""
    looks = {"Docker engine": _docker_there, "disk space": _space_there}
    look = looks.get(piece.name)
    return piece if look is None else Piece(piece.name, partial(look, host))


def _docker_there(host: There) -> Found:
    """Look at the engine, and have all that comes after it use the connection."""
    from curtainup.platforms.docker import distant

    client = distant.connect(host, os.environ)
    host.enter(os.environ)
    return Found(str(client.version()["Version"]), str(host))


def _space_there(host: There) -> Found:
    said = host.connection.shell(f"df -Pk {DOCKER_ROOT} || df -Pk /").splitlines()
    words = said[-1].split() if said else []
    if len(words) < 4 or not words[3].isdigit():
        return Found(None, f"not known of {host}")
    free = int(words[3]) * 1024
    advice = "docker system prune there: builds need about 2 GB" if free < SPACE_NEEDED else None
    return Found(None, f"{free / 1e9:.1f} GB free on {host}", advice)


def look_at(pieces: Iterable[Piece], look: Callable[[Piece], Check] | None = None) -> list[Check]:
    """Look at pieces, those that others need first; what needs one that is not fine is left out."""
    found: dict[str, Check] = {}
    for piece in pieces:
        if piece.needs is not None and not found[piece.needs].ok:
            fix = f"mend {piece.needs} first"
            found[piece.name] = Check(piece.name, False, None, NOT_LOOKED_AT, fix)
        else:
            found[piece.name] = (look or _look)(piece)
    return list(found.values())


def can_mend(names: Iterable[str], more: Iterable[Piece] = ()) -> list[str]:
    """Return which of these pieces, of the machine or of `more`, `--fix` could mend on this machine."""
    mended = {piece.name for piece in (*PIECES, *more) if piece.mend}
    if not debian.can_install():
        mended -= INSTALLED
    return [name for name in names if name in mended]


def render(found: list[Check]) -> str:
    """Return the checks as lines for people: one each, and below it what to do, if there is something."""
    names = max(len(check.name) for check in found)
    versions = max(len(check.version or "") for check in found)
    lines: list[str] = []
    for check in found:
        mark = "ok" if check.ok else "no"
        detail, *rest = (check.detail or "").splitlines() or [""]
        lines.append(f"{mark}  {check.name:<{names}}  {check.version or '':<{versions}}  {detail}".rstrip())
        lines += [f"      {line}" for line in rest]
        if check.fix:
            lines.append(f"      {'advice' if check.ok else 'fix'}: {check.fix}")
    return "\n".join(lines)


def _look(piece: Piece) -> Check:
    try:
        found = piece.look()
    except CurtainupError as error:
        return _failed(piece, error)
    return Check(piece.name, True, found.version, found.detail, found.advice)


def _mended(piece: Piece, report: Report) -> Check:
    found = _look(piece)
    if found.ok or piece.mend is None:
        return found
    try:
        piece.mend(report)
    except CurtainupError as error:
        return _failed(piece, error)
    return _look(piece)


def _failed(piece: Piece, error: CurtainupError) -> Check:
    detail = "\n".join(part for part in (error.what, error.where, error.detail) if part)
    return Check(piece.name, False, None, detail, error.fix)


def _python() -> Found:
    return Found(platform.python_version(), sys.executable)


def _git() -> Found:
    git = shutil.which("git")
    if git is None:
        fix = engine.FIX if debian.can_install() else "install git"
        raise SetupError("git is not on PATH", fix=fix)
    said = subprocess.run([git, "--version"], check=False, capture_output=True, text=True).stdout
    return Found(said.removeprefix("git version ").strip(), git)


def _mend_git(report: Report) -> None:
    if debian.can_install():
        debian.install(["git"], report)


def _engine() -> Found:
    found = engine.locate()
    return Found(found.version, str(found.command))


def _mend_engine(report: Report) -> None:
    pulumi.link(pulumi.ensure(report))


def _language_host() -> Found:
    host = language_host.find(engine.locate())
    if host is None:
        raise SetupError("plain `pulumi up` cannot run Python programs", fix=engine.FIX)
    return Found(None, str(host))


def _docker_provider() -> Found:
    plugin = provider.find(provider.DOCKER)
    version = provider.wanted(provider.DOCKER)
    if plugin is None:
        raise SetupError(f"the plugin of pulumi_docker {version} is not installed", fix=engine.FIX)
    return Found(version, str(plugin))


def _own_provider() -> Found:
    plugin = Path(sys.executable).parent / OWN_PROVIDER
    if not plugin.is_file():
        raise SetupError(
            f"{OWN_PROVIDER} is not beside this interpreter",
            where=str(plugin),
            consequence="traffic cannot be moved",
            fix="install curtainup with pip into this environment",
        )
    return Found(importlib.metadata.version("curtainup"), str(plugin))


def _docker() -> Found:
    return engines.look(partial(docker_engine.connect, os.environ), docker_engine.address(os.environ))


def _image(role: str) -> Found:
    reference = catalogue.REFERENCES[role]
    if role in images.missing(docker_engine.connect(os.environ)):
        raise SetupError(f"{reference} is not on the Docker engine", fix=engine.FIX)
    return Found(reference.rpartition(":")[2], reference)


def _mend_images(report: Report) -> None:
    images.ensure(docker_engine.connect(os.environ), report)


def _space() -> Found:
    local = docker_engine.address(os.environ) == docker_engine.DEFAULT_ADDRESS and DOCKER_ROOT.is_dir()
    folder = DOCKER_ROOT if local else Path.home()
    free = shutil.disk_usage(folder).free
    advice = "docker system prune: builds need about 2 GB" if free < SPACE_NEEDED else None
    return Found(None, f"{free / 1e9:.1f} GB free in {folder}", advice)


def _state() -> Found:
    """Look where state goes; a backend that is missing stops deployments, not what set-up is for."""
    try:
        folder = paths.data_dir() / "state"
        if not folder.is_dir() and not {"PULUMI_BACKEND_URL", "CI"} & os.environ.keys():
            return Found(None, "made by the first deployment, unless pulumi login names a backend")
        backend = workspace.find_backend(None, None, os.environ)
    except CurtainupError as error:
        return Found(None, f"{error.what}: deploy refuses", error.fix)
    return Found(None, backend.url or "as in pulumi login")


PIECES = (
    Piece("Python", _python),
    Piece("git", _git, _mend_git),
    Piece("Pulumi engine", _engine, _mend_engine),
    Piece(
        "Python language host",
        _language_host,
        lambda _: language_host.ensure(engine.locate()),
        needs="Pulumi engine",
    ),
    Piece(
        "Docker provider",
        _docker_provider,
        lambda report: provider.ensure(provider.DOCKER, engine.locate(), report),
    ),
    Piece("curtainup provider", _own_provider),
    Piece("Docker engine", _docker, lambda report: docker_engine.ensure(os.environ, report)),
    *(
        Piece(f"{role} image", partial(_image, role), _mend_images, needs="Docker engine")
        for role in catalogue.REFERENCES
    ),
    Piece("disk space", _space),
    Piece("state", _state),
)
