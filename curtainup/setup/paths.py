"""The folders that set-up reads and writes."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the folder of curtainup's cache: by version, files that it can fetch or build again."""
    return platformdirs.user_cache_path("curtainup")


def pulumi_home() -> Path:
    """Return the folder in which the engine keeps plugins.

    It is `PULUMI_HOME`, else `.pulumi` in the home folder from the account database: the engine is a Go
    program, and Go reads HOME last (https://pkg.go.dev/os/user#Current).
    """
    configured = os.environ.get("PULUMI_HOME")
    return Path(configured) if configured else Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pulumi"


def offline_sources() -> Path:
    """Return the folder of the Go modules and the language host, in the wheel or in the checkout."""
    return program_dir() / "offline"


def data_dir() -> Path:
    """Return the folder of curtainup's data: the default state, the passphrase and locks."""
    return platformdirs.user_data_path("curtainup")


def program_dir() -> Path:
    """Return the folder of the program: data of the wheel, or the checkout of this package."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_program"
    return packaged if packaged.is_dir() else package.parent
