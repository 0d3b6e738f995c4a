"""A wrong clock for curtainup itself: to it, a Docker host with the right one is the one that errs."""

from __future__ import annotations

import shutil

from tests.e2e.debian_packages import unpacked

IS_POSSIBLE = shutil.which("apt-get") is not None
WHY_NOT = "needs apt-get, for Debian's libfaketime"


def off_by(much: str) -> dict[str, str]:
    """Return the variables of a process whose clock is off, such as by `+1h`; what is in Go keeps its own."""
    [library] = unpacked("libfaketime", "libfaketime").rglob("libfaketimeMT.so.1")
    return {"LD_PRELOAD": str(library), "FAKETIME": much, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
