"""What this machine needs so that a cluster of curtainup's own can run on it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import debian
from curtainup.setup.cluster.archives import ARCHITECTURES

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
"""The Debian package of each command."""

PLUGINS = ("bridge", "host-local", "loopback", "portmap")
PLUGINS_PACKAGE = "containernetworking-plugins"
PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
"""Where Debian, the plugins' own archive and Fedora put them."""

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def search_path() -> str:
    """Return PATH with the folders of system commands, which not every user has on it."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])


def plugin_folder() -> Path | None:
    """Return the folder of the plugins that connect pods, or None."""
    complete = (one for one in PLUGIN_FOLDERS if all((one / name).is_file() for name in PLUGINS))
    return next(complete, None)


def missing_packages() -> list[str]:
    """Return the Debian packages that would bring what is not there."""
    commands = [package for command, package in PACKAGES.items() if _which(command) is None]
    return list(dict.fromkeys([*commands, *([] if plugin_folder() else [PLUGINS_PACKAGE])]))


def missing() -> list[str]:
    """Return for people what is not there, and what this machine or user cannot do."""
    return [*_unfit(), *missing_packages()]


def require() -> None:
    """Check that the cluster can run here.

    Raises:
        SetupError: it cannot; the fix says what to do.

    """
    unfit = _unfit()
    if unfit:
        raise SetupError(
            f"curtainup's own cluster cannot run here: {', '.join(unfit)}",
            consequence="there is no cluster to try with",
            fix="make one with kind or k3d, or use another, and name it with KUBECONFIG",
        )
    absent = missing_packages()
    if absent:
        mend = "curtainup doctor --fix" if debian.can_install() else f"apt-get install {' '.join(absent)}"
        raise SetupError(
            f"curtainup's own cluster needs {', '.join(absent)}",
            consequence="there is no cluster to try with",
            fix=f"{mend}, or name another cluster with KUBECONFIG",
        )


def _unfit() -> list[str]:
    unfit = []
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        unfit.append("it needs Linux on x86_64 or aarch64")
    if os.geteuid() != 0:
        unfit.append("it needs root")
    return unfit


def _which(command: str) -> str | None:
    return shutil.which(command, path=search_path())
