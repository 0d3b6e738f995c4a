"""A wrong clock for curtainup itself: to it, a Docker host with the right one is the one that errs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

IS_POSSIBLE = shutil.which("cc") is not None
WHY_NOT = "needs a C compiler, for a clock that is off"


def off_by(seconds: int, folder: Path) -> dict[str, str]:
    """Return the variables of a process whose clock is off; what is in Go keeps its own.

    Debian's libfaketime does not do: under it, Python's sleeps fail or never end.
    """
    library = folder / "another_clock.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "CLOCK_OFF_BY": str(seconds)}
