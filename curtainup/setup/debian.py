"""Installs Debian packages, if this process may."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from curtainup.setup.process import Report, run

SUITE = "bookworm"
"""The Debian release that curtainup's images use."""

INSTALL_LIMIT = 900.0
"""Seconds that fetching and unpacking a set of packages may take."""


def can_install() -> bool:
    """Return whether this is Debian or a derivative, and this process is root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], report: Report) -> None:
    """Install packages with apt-get; fetch the package lists only if they lack one of the packages.

    Raises:
        SetupError: apt-get failed; the detail is the end of its output.

    """
    what = f"installing {', '.join(packages)}"
    report(what)
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    if not _known(packages):
        run(["apt-get", "update"], "fetching Debian's package lists", report, timeout=INSTALL_LIMIT, env=env)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run(command, what, report, timeout=INSTALL_LIMIT, env=env)


def sources(apt: Path = Path("/etc/apt")) -> list[Path]:
    """Return the files that name this machine's Debian mirrors, if the machine runs bookworm.

    It leaves out files of other publishers, so that images contain packages of Debian only.
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    return [
        path for path in files if path.suffix in (".list", ".sources") and path.is_file() and _is_debian(path)
    ]


def _known(packages: Sequence[str]) -> bool:
    """Return whether the package lists contain all packages."""
    shown = subprocess.run(["apt-cache", "show", *packages], check=False, capture_output=True)
    return shown.returncode == 0


def _is_debian(path: Path) -> bool:
    """Return whether a file in either format of sources.list(5) names Debian's own bookworm."""
    text = path.read_text()
    suite = re.search(rf"(?m)^(deb\s|Suites:)(.*\s)?{SUITE}(\s|$)", text)
    main = re.search(r"(?m)^(deb\s|Components:).*\smain(\s|$)", text)
    keys = re.findall(r"(?i)signed-by\s*[:=]\s*([^\s\]]+)", text)
    return bool(suite and main) and all("debian-archive" in key for key in keys)
