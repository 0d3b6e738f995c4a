"""The environment variables of a suite: the deployer's and the gate's, but none of curtainup's Python."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from curtainup.gates.models import GateRequest, UnitTestRequest
from curtainup.setup.paths import program_dir

ACCEPTANCE = "acceptance"
LOCAL = "local"
"""The environment of the gate whose container runs on this machine."""


def local_variables(request: UnitTestRequest, environ: Mapping[str, str], python: Path) -> dict[str, str]:
    """Return all variables of a suite that runs on this machine."""
    variables = _merged(deployers_variables(environ, python), suite_variables(request))
    if isinstance(request, GateRequest):
        folder = str(program_dir() / ACCEPTANCE)
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, variables["PYTHONPATH"]]))
        variables |= _without_proxy(variables, request)
    return variables


def image_variables(request: UnitTestRequest, image: Mapping[str, str], acceptance: str) -> dict[str, str]:
    """Return the variables that a suite in the service's image gets on top of `image`, the image's own."""
    variables = _merged({}, suite_variables(request))
    variables["PYTHONUNBUFFERED"] = "1"
    if isinstance(request, GateRequest):
        variables["PYTHONPATH"] = ":".join(filter(None, [acceptance, image.get("PYTHONPATH")]))
        variables |= _without_proxy(image, request)
    return variables


def suite_variables(request: UnitTestRequest) -> dict[str, str | None]:
    """Return the variables that a suite gets from its request; None means that a variable must not be set."""
    told = gate_variables(request) if isinstance(request, GateRequest) else {}
    return {**told, **request.extra_env}


def gate_variables(request: GateRequest) -> dict[str, str | None]:
    """Return a gate's variables, PyMacaron's three and curtainup's own; None is for an unknown value."""
    url = urlsplit(request.url)
    return {
        "PYM_SERVER_HOST": url.hostname,
        "PYM_SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "PYM_ENV": request.pym_env,
        "CURTAINUP_URL": request.url.rstrip("/"),
        "CURTAINUP_ENVIRONMENT": request.environment,
        "CURTAINUP_VERSION": request.version,
        "CURTAINUP_RELEASE": request.release,
        "CURTAINUP_HEALTH_PATH": request.health_path,
        "CURTAINUP_HEALTH_TIMEOUT": f"{request.health_timeout:g}",
        "CURTAINUP_HOST_HEADER": request.headers.get("Host"),
        "CURTAINUP_HEADER_LIMIT": str(request.header_limit) if request.header_limit else None,
        "CURTAINUP_FORWARDED_PROTO": request.headers.get("X-Forwarded-Proto"),
        "CURTAINUP_EXPECT_RELEASE_HEADER": "1" if request.expect_release_header else None,
    }


def deployers_variables(environ: Mapping[str, str], python: Path) -> dict[str, str]:
    """Return the deployer's environment, with `python`'s virtual environment in the place of curtainup's."""
    variables = dict(environ)
    ours = Path(sys.prefix) if sys.prefix != sys.base_prefix else None
    venv = python.parent.parent
    path = [entry for entry in environ.get("PATH", os.defpath).split(os.pathsep) if not _is_ours(entry, ours)]
    variables["PATH"] = os.pathsep.join([str(python.parent), *path])
    variables.pop("VIRTUAL_ENV_PROMPT", None)
    variables.pop("VIRTUAL_ENV", None)
    if (venv / "pyvenv.cfg").is_file():
        variables["VIRTUAL_ENV"] = str(venv)
    python_path = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if _is_theirs(entry)]
    variables["PYTHONPATH"] = os.pathsep.join(python_path)
    variables["PYTHONUNBUFFERED"] = "1"  # show progress at once
    return variables


def _without_proxy(variables: Mapping[str, str], request: GateRequest) -> dict[str, str]:
    """Return the variables that exempt a host on this machine from the machine's HTTP proxy."""
    host = urlsplit(request.url).hostname or ""
    if not (_is_loopback(host) or request.environment == LOCAL):
        return {}
    return {name: ",".join(filter(None, [variables.get(name), host])) for name in ("NO_PROXY", "no_proxy")}


def _merged(variables: Mapping[str, str], told: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**variables, **told}.items() if value is not None}


def _is_ours(entry: str, venv: Path | None) -> bool:
    return venv is not None and Path(entry) == venv / "bin"


def _is_theirs(entry: str) -> bool:
    return bool(entry) and Path(entry).resolve() != program_dir()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
