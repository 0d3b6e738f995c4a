"""Copies the machine's certificates and package index into images, so that `pip install` works in them.

The certificates come from the machine's bundle, and the package index from pip's configuration, each time
that an image is made. curtainup writes none of this into the project.
"""

from __future__ import annotations

import ast
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import certifi

BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
SETTING = re.compile(r"^(?P<section>[^.]+)\.(?P<name>[a-z-]+)=(?P<value>.*)$")

SECTIONS = ("global", "install", ":env:")
"""The sources of pip's settings; later ones win."""

INDEX_SETTINGS = ("index-url", "extra-index-url", "find-links", "trusted-host")
"""The settings of pip that say where to find packages (https://pip.pypa.io/en/stable/cli/pip_install/)."""


@dataclass(frozen=True)
class PipSettings:
    """The settings with which pip finds packages.

    Attributes:
        text: the content of a pip.conf; empty if pip uses its defaults.
        withheld: the names of settings that hold a password, which must not get into an image.

    """

    text: str
    withheld: tuple[str, ...]


def certificates(environ: Mapping[str, str]) -> list[str]:
    """Return the certificates, as PEM, that this machine trusts beyond the public ones.

    They come from the bundle that the environment names, else from the system's. Certificates that certifi
    has are left out.
    """
    public = {_der(pem) for pem in CERTIFICATE.findall(Path(certifi.where()).read_text())}
    named = [environ[name] for name in BUNDLE_VARIABLES if environ.get(name)]
    bundle = next((path for path in map(Path, (*named, *SYSTEM_BUNDLES)) if path.is_file()), None)
    trusted = CERTIFICATE.findall(bundle.read_text(errors="replace")) if bundle else []
    return [pem for pem in trusted if _der(pem) not in public]


def pip_settings() -> PipSettings:
    """Return the settings with which this machine's pip finds packages; pip itself lists them."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return parse_pip_settings(listed.stdout)


def parse_pip_settings(listed: str) -> PipSettings:
    """Turn the output of `pip config list` into settings that are valid in an image too.

    As in pip, a command's own section wins over the global one, and the environment over both. Folders of
    this machine are left out, because an image does not have them.
    """
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=_precedence):
        setting = SETTING.match(line)
        if setting and setting["section"] in SECTIONS and setting["name"] in INDEX_SETTINGS:
            found[setting["name"]] = _literal(setting["value"])
    withheld = tuple(name for name, value in found.items() if any(map(_has_password, value.split())))
    lines = [
        f"{name} = {' '.join(places)}"
        for name, value in found.items()
        if name not in withheld and (places := [place for place in value.split() if _is_elsewhere(place)])
    ]
    return PipSettings("\n".join(["[global]", *lines, ""]) if lines else "", withheld)


def _literal(value: str) -> str:
    """Return what a literal of Python means; pip writes none that has no meaning."""
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ""


def _precedence(line: str) -> int:
    section = line.split(".", maxsplit=1)[0]
    return SECTIONS.index(section) if section in SECTIONS else -1


def _has_password(place: str) -> bool:
    return "@" in urlsplit(place).netloc


def _is_elsewhere(place: str) -> bool:
    """Return whether a place is something other than a folder of this machine."""
    return not place.startswith(("/", ".", "~", "file:"))


def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)
