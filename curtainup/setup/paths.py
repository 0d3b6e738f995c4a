"""The folders that set-up reads and writes."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the user's cache of curtainup: what can be fetched or built again, by version."""
    return platformdirs.user_cache_path("curtainup")


def pulumi_home() -> Path:
    """Return the folder in which the engine keeps plugins.

    It is `PULUMI_HOME`, else `.pulumi` in the home that the account database names: the engine is a Go
    program and asks HOME last (https://pkg.go.dev/os/user#Current).
    """
    configured = os.environ.get("PULUMI_HOME")
    return Path(configured) if configured else Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pulumi"


def offline_sources() -> Path:
    """Return the folder of the Go modules and the language host: data in the wheel, else the checkout's."""
    return program_dir() / "offline"


def data_dir() -> Path:
    """Return the user's data directory of curtainup: default state, passphrase, locks."""
    return platformdirs.user_data_path("curtainup")


def program_dir() -> Path:
    """Return where the program is: in the wheel as data, else this package's own checkout."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_program"
    return packaged if packaged.is_dir() else package.parent
