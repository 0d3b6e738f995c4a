"""Debian packages, where this process may install them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from curtainup.setup.process import Report, run

SUITE = "bookworm"
"""The Debian release that curtainup's images are made of."""

INSTALL_LIMIT = 900.0
"""Seconds for fetching and unpacking a set of packages."""


def can_install() -> bool:
    """Whether this is Debian, or made of it, and this process is root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], report: Report) -> None:
    """Install packages with apt-get, fetching the package lists only when they do not have them.

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
    """Return the files that name this machine's Debian mirrors, when it is a bookworm.

    Files of other publishers' packages are left out: what is made of these has Debian in it, nothing else.
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    return [
        path for path in files if path.suffix in (".list", ".sources") and path.is_file() and _is_debian(path)
    ]


def _known(packages: Sequence[str]) -> bool:
    """Whether the package lists have all of these."""
    shown = subprocess.run(["apt-cache", "show", *packages], check=False, capture_output=True)
    return shown.returncode == 0


def _is_debian(path: Path) -> bool:
    """Whether a file of sources is Debian's own bookworm: sources.list(5), in either format."""
    text = path.read_text()
    suite = re.search(rf"(?m)^(deb\s|Suites:)(.*\s)?{SUITE}(\s|$)", text)
    main = re.search(r"(?m)^(deb\s|Components:).*\smain(\s|$)", text)
    keys = re.findall(r"(?i)signed-by\s*[:=]\s*([^\s\]]+)", text)
    return bool(suite and main) and all("debian-archive" in key for key in keys)
