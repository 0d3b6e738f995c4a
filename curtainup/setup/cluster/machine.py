"""What this machine needs so that a cluster of curtainup's own can run on it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import debian, paths
from curtainup.setup.cluster import cgroups
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

LOADER = {"modprobe": "kmod"}
"""What loads the kernel's module for bridges, where it is not loaded yet."""

BRIDGES = Path("/proc/sys/net/bridge")
"""The module's settings in the network namespace that looks; they are there once it is loaded."""

PLUGINS = ("bridge", "host-local", "loopback", "portmap")
PLUGINS_PACKAGE = "containernetworking-plugins"
PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
"""Where Debian, the plugins' own archive and Fedora put them."""

NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc")
"""What unshare(1) calls those that a cluster has for itself."""

APART = ("unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
"""The beginning of a command whose process is the first in them."""

CONFINED = "it needs a root that may make namespaces, which few containers have"
LIMIT = 30.0
"""Seconds that a try may take."""

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
    needed = PACKAGES if BRIDGES.is_dir() else PACKAGES | LOADER
    absent = [package for command, package in needed.items() if _which(command) is None]
    return list(dict.fromkeys([*absent, *([] if plugin_folder() else [PLUGINS_PACKAGE])]))


def missing() -> list[str]:
    """Return for people what is not there, and what this machine or user cannot do."""
    return [*_unfit(), *missing_packages()]


def require_fit() -> None:
    """Check that the cluster could run here, whatever packages are missing.

    Raises:
        SetupError: it could not, and nothing that can be installed changes that.

    """
    unfit = _unfit()
    if unfit:
        raise SetupError(
            f"curtainup's own cluster cannot run here: {', '.join(unfit)}",
            consequence="there is no cluster to try with",
            fix="install kind or k3d, or point KUBECONFIG at a cluster that you have",
        )


def require() -> None:
    """Check that the cluster can run here.

    Raises:
        SetupError: it cannot; the fix says what to do.

    """
    require_fit()
    absent = missing_packages()
    if absent:
        mend = (
            "curtainup doctor --cluster --fix"
            if debian.can_install()
            else f"apt-get install {' '.join(absent)}"
        )
        raise SetupError(
            f"curtainup's own cluster needs {', '.join(absent)}",
            consequence="there is no cluster to try with",
            fix=mend,
        )


def _unfit() -> list[str]:
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return ["it needs Linux on x86_64 or aarch64"]
    if os.geteuid() != 0:
        return ["it needs root"]
    return [*_confined(), *cgroups.unfit(), *_misplaced(paths.cache_dir().resolve())]


def _confined() -> list[str]:
    """Return for people whether this root may make no namespaces, as in most containers."""
    unshare = _which("unshare")
    if unshare is None:
        return []  # it is among the missing packages
    try:
        done = subprocess.run(
            [unshare, *NAMESPACES, "--fork", "true"], check=False, capture_output=True, timeout=LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return [CONFINED]
    return [] if done.returncode == 0 else [CONFINED]


def _misplaced(cache: Path) -> list[str]:
    """Return for people whether the cache is where a cluster has a folder of its own."""
    return [f"its cache must not be in /run: {cache}"] if cache.is_relative_to("/run") else []


def _which(command: str) -> str | None:
    return shutil.which(command, path=search_path())
