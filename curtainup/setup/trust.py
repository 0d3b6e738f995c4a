"""What this machine needs to fetch packages, for images in which packages are installed.

It comes from the machine's own settings when an image is made: certificates from its bundle, the package
index from pip's configuration. Nothing of it is written into the project.
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
"""Where pip reads settings, the one that wins last."""

INDEX_SETTINGS = ("index-url", "extra-index-url", "find-links", "trusted-host")
"""The settings of pip that say where packages are (https://pip.pypa.io/en/stable/cli/pip_install/)."""


@dataclass(frozen=True)
class PipSettings:
    """Where pip finds packages.

    Attributes:
        text: a pip.conf; empty when pip has its defaults.
        withheld: names of settings that hold a password, which must not get into an image.

    """

    text: str
    withheld: tuple[str, ...]


def certificates(environ: Mapping[str, str]) -> list[str]:
    """Return the certificates, as PEM, that this machine trusts beyond the public ones.

    They are those of the bundle that the environment names, else the system's, which certifi does not have.
    """
    public = {_der(pem) for pem in CERTIFICATE.findall(Path(certifi.where()).read_text())}
    named = [environ[name] for name in BUNDLE_VARIABLES if environ.get(name)]
    bundle = next((path for path in map(Path, (*named, *SYSTEM_BUNDLES)) if path.is_file()), None)
    trusted = CERTIFICATE.findall(bundle.read_text(errors="replace")) if bundle else []
    return [pem for pem in trusted if _der(pem) not in public]


def pip_settings() -> PipSettings:
    """Return where this machine's pip finds packages, as pip itself says."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return parse_pip_settings(listed.stdout)


def parse_pip_settings(listed: str) -> PipSettings:
    """Turn what `pip config list` prints into the settings that hold in an image as well.

    A command's own section wins over the global one, and the environment over both, as in pip. Folders of
    this machine are left out, as an image does not have them.
    """
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=_precedence):
        setting = SETTING.match(line)
        if setting and setting["section"] in SECTIONS and setting["name"] in INDEX_SETTINGS:
            found[setting["name"]] = str(ast.literal_eval(setting["value"]))
    withheld = tuple(name for name, value in found.items() if any(map(_has_password, value.split())))
    lines = [
        f"{name} = {' '.join(places)}"
        for name, value in found.items()
        if name not in withheld and (places := [place for place in value.split() if _is_elsewhere(place)])
    ]
    return PipSettings("\n".join(["[global]", *lines, ""]) if lines else "", withheld)


def _precedence(line: str) -> int:
    section = line.split(".", maxsplit=1)[0]
    return SECTIONS.index(section) if section in SECTIONS else -1


def _has_password(place: str) -> bool:
    return "@" in urlsplit(place).netloc


def _is_elsewhere(place: str) -> bool:
    """Whether a place is not a folder of this machine."""
    return not place.startswith(("/", ".", "~", "file:"))


def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)
