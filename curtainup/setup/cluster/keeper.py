"""The process that a cluster ends with: `python -m curtainup.setup.cluster.keeper FOLDER [--detached]`.

It holds the cluster's lock, makes its cgroups and its namespaces, and says so on its standard output. The
cluster ends when its standard input does, which is when the process that started it is gone; on a signal; or
with its own first process. Then the keeper removes all that is left. If it is killed itself, the kernel ends
the cluster with it, and the start of the next one removes the rest.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from curtainup.errors import SetupError
from curtainup.setup.cluster import cgroups, machine
from curtainup.setup.cluster.place import Place, Plan, every
from curtainup.setup.process import last_lines

READY = "kept"
"""What it prints once it has the lock; if the cluster does not start, the failure follows, as in `Place`."""


KEPT = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "TZ")
"""The variables that Python may need."""


def main() -> None:
    """Keep a cluster until it is to end."""
    place, detached = Place(Path(sys.argv[1])), sys.argv[2:] == ["--detached"]
    if place not in every():  # it would remove any folder in the end
        sys.exit(f"{place.folder} is no cluster's folder")
    if detached and os.fork():
        os._exit(0)  # whoever started this one has not to wait for it
    wakeup, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    with FileLock(place.lock):
        place.pid.write_text(str(os.getpid()))
        for node in Plan.read(place).every(place):
            cgroups.make(node.cgroup)
        process = _started(place)
        print(READY, flush=True)
        ended = os.pidfd_open(process.pid)
        select.select([wakeup, ended, *([] if detached else [sys.stdin])], [], [])
        _end(process)
        if not place.ready.exists():
            _tell(place)
        remove(place)


def _tell(place: Place) -> None:
    """Tell whoever waits for the cluster why it did not start."""
    if place.failure() is None:
        log = place.log / "node.log"
        detail = last_lines(log.read_text(errors="replace"))
        place.failed(SetupError("the cluster ended while it was starting", where=str(log), detail=detail))
    with contextlib.suppress(BrokenPipeError):
        print(place.failure_file.read_text(), flush=True)


def remove(place: Place) -> None:
    """Remove what a cluster leaves once its processes are gone; whoever calls this holds its lock."""
    cgroups.remove(place.cgroup)
    shutil.rmtree(place.folder, ignore_errors=True)
    place.lock.unlink(missing_ok=True)


def _started(place: Place) -> subprocess.Popen[bytes]:
    """Start the cluster's first process in its namespaces; it ends with its parent, and that with us."""
    outer = os.open("/proc/self/ns/net", os.O_RDONLY)
    inside = [sys.executable, "-P", "-m", "curtainup.setup.cluster.inside", str(place.folder), str(outer)]
    with (place.log / "node.log").open("ab") as log:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *machine.APART, *inside],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(outer,),
            env=environment(place, os.environ),
            start_new_session=True,
        )


def environment(place: Place, ours: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the cluster's processes: none with a secret, a proxy or settings of a part."""
    kept = {name: ours[name] for name in KEPT if name in ours}
    return {**kept, "PATH": machine.search_path(), "HOME": str(place.folder), "LC_ALL": "C.UTF-8"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the namespaces; the kernel lets it end only after all others."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if process.poll() is None:
        found = children.read_text().split() if children.exists() else []
        for pid in found or [str(process.pid)]:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(int(pid), signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    main()
