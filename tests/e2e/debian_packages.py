"""Debian packages, only unpacked, into the cache: a machine that installs one may start what is in it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from curtainup.setup import paths


def unpacked(name: str, *packages: str) -> Path:
    """Return the folder that holds the files of packages, which are fetched once.

    Args:
        name: of the folder.
        packages: as apt-get knows them.

    """
    made = paths.cache_dir() / "tests" / name
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{made}.lock"):
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=made.parent) as folder:
                _unpack(Path(folder), packages)
                (Path(folder) / "files").rename(made)
    return made


def _unpack(folder: Path, packages: tuple[str, ...]) -> None:
    get = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "--quiet", *packages]
    subprocess.run(get, cwd=folder, check=True, capture_output=True, timeout=300)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "files")], check=True, timeout=60)
