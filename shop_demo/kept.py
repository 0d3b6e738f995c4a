"""The demo's secrets: made once, and kept, as a database remembers the password that it was made with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from curtainup.setup import paths

NAMES = ("POSTGRES_PASSWORD", "SHOP_SECRET_KEY")
"""The variables that examples/shop names in `env_secrets`."""


def file() -> Path:
    """Return where they are kept: with the state of deployments."""
    return paths.data_dir() / "demo-shop.env"


def values() -> dict[str, str]:
    """Return the value of each secret, whatever the shell has set for something else."""
    known = _read() if file().exists() else {}
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(32) for name in missing}
        _write(known)
    return {name: known[name] for name in NAMES}


def _read() -> dict[str, str]:
    lines = (line.partition("=") for line in file().read_text().splitlines())
    return {name: value for name, _, value in lines if name in NAMES}


def _write(known: Mapping[str, str]) -> None:
    file().parent.mkdir(parents=True, exist_ok=True)
    file().touch(mode=0o600)
    file().write_text("".join(f"{name}={value}\n" for name, value in known.items()))
