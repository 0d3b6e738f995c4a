"""Forks a process for each run of pytest: `fork_server.py SOCKET LENT FIRST`. So pytest is imported once.

curtainup starts it in the service's interpreter, with the deployer's variables. It imports pytest, requests
and curtainup's own helpers, but nothing of the service, and no plugin: those belong to the run that wants
them.

SOCKET is the number of a socket that brings the orders. An order is one byte with descriptors: a file that
says what to run, where its output goes, a leash, and where its report goes. LENT is a folder of packages, or
empty. FIRST is `gates` if the first order is a gate.

For each order there are two processes: the run, which becomes what `python -m pytest` would be, and a keeper,
which tells over the leash how the run ended. When the other end of the leash closes, because the driver is
done or dead, the keeper ends the run with all that it has started. When SOCKET closes, the server ends.

Where the server cannot serve, it closes what it was given. The driver then starts a pytest of its own.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

HERE = str(Path(__file__).parent)
MARK = "CURTAINUP_STARTED_BY"
"""The variable by which the driver and the keeper find what a run has started."""
FOR_GATES = (
    "requests",
    "curtainup_acceptance.headers",
    "curtainup_acceptance.proxy",
    "curtainup_acceptance.session",
    "curtainup_acceptance.target",
)
"""What the plugin imports anyhow. Not the plugin itself: pytest has to rewrite its assertions."""
SENT = 4
"""How many descriptors come with an order."""
REPORT = 3
"""The descriptor to which a run writes its report; it inherits no other beside its standard ones."""
ENV_START = 47
"""The index of `env_start` among the fields of /proc/PID/stat after the name; see proc(5)."""
ROUNDS = 10
"""How often to look for what a run has started, because it may start another one meanwhile."""
IS_SAFE = bool(getattr(sys.flags, "safe_path", False))
"""Whether this interpreter keeps the folder where it was started off its path."""


def main() -> None:
    """Serve; in the process of a run, be pytest, which then ends the interpreter as it always does."""
    number, lent, first = sys.argv[1:]
    if not IS_SAFE:
        del sys.path[0]  # the folder of this file
    if lent and sys.version_info >= (3, 11):
        sys.path.append(lent)
    server = Server(socket.socket(fileno=int(number)))
    if first == "gates":
        server.load_for_gates()
    become_pytest(server.serve())


class Server:
    """Takes orders until there are none.

    Args:
        control: the socket that they come over.

    """

    def __init__(self, control: socket.socket) -> None:
        if not can_fork():
            sys.exit("this interpreter cannot be forked")
        self._control = control
        self._is_for_gates = False
        load_pytest()

    def load_for_gates(self) -> None:
        """Import what acceptance tests need; unit tests may not want it imported before them."""
        if not self._is_for_gates:
            sys.path.insert(0, HERE)
            with warnings.catch_warnings():  # pytest imports plugins so too
                for name in FOR_GATES:
                    importlib.import_module(name)
            sys.path.remove(HERE)
            spare()
            self._is_for_gates = True

    def serve(self) -> dict[str, Any]:
        """Return an order in the process that has to carry it out; never return in the server."""
        while True:
            descriptors = receive(self._control)
            if not descriptors:
                reap(0)
                os._exit(0)
            reap(os.WNOHANG)
            with os.fdopen(descriptors.pop(0), "rb") as file:
                order: dict[str, Any] = json.loads(file.read())
            if self._suits(order) and os.fork() == 0:
                self._control.close()
                return keep(order, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            self.load_for_gates()

    def _suits(self, order: dict[str, Any]) -> bool:
        """Whether a process of its own would have imported the same modules by now."""
        if order["is_gate"]:
            self.load_for_gates()
        elif self._is_for_gates:
            return False
        return can_fork() and not is_shadowed(order["cwd"])


def can_fork() -> bool:
    """Whether a fork is like a new process: nothing runs beside this code, and nothing watches it."""
    is_alone = len([*Path("/proc/self/task").iterdir()]) == 1
    is_watched = sys.gettrace() or sys.getprofile() or "coverage" in sys.modules
    return hasattr(os, "fork") and is_alone and not is_watched and not is_customized()


def is_customized() -> bool:
    """Whether a start of this interpreter runs code of the user, which may depend on a run's variables."""
    found = (sys.modules.get(name) for name in ("sitecustomize", "usercustomize"))
    folder = Path(os.__file__).parent
    return any(Path(str(one.__file__)).parent != folder for one in found if one)


def is_shadowed(folder: str) -> bool:
    """Whether a module in a folder has the name of one that is loaded: a new process might load that one."""
    loaded = {name.partition(".")[0] for name in sys.modules} - {"__main__"}
    found = (one for one in Path(folder).iterdir() if one.name.partition(".")[0] in loaded)
    is_module = (one.suffix in (".py", ".pyc", ".so") or (one / "__init__.py").exists() for one in found)
    return not IS_SAFE and any(is_module)


def load_pytest() -> None:
    """Import pytest with its own plugins, and register none."""
    importlib.import_module("pytest")
    for name in importlib.import_module("_pytest.config").default_plugins:
        importlib.import_module(f"_pytest.{name}")
    spare()


def spare() -> None:
    """Keep what is imported out of the collections of garbage in the runs, where it is half of the work."""
    gc.collect()
    gc.freeze()


def receive(control: socket.socket) -> list[int]:
    """Return the descriptors of the next order; none if nobody can give one any more."""
    found = array.array("i")
    _, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(SENT * found.itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def reap(options: int) -> None:
    """Take note of keepers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def keep(order: dict[str, Any], output: int, leash: int, report: int) -> dict[str, Any]:
    """Fork the run, and return the order in it; this process only watches it then."""
    run = os.fork()
    if run == 0:
        prepare(order, output, leash, report)
        return order
    os.close(output)
    os.close(report)
    try:
        watch(run, socket.socket(fileno=leash), order["env"][MARK])
    finally:
        os._exit(0)


def watch(run: int, leash: socket.socket, mark: str) -> None:
    """Tell how the run ended; end it when the leash does, with all that it has started."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    told = False
    while True:
        ended = None if told else os.waitid(os.P_PID, run, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            told = True
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            with contextlib.suppress(OSError):
                leash.sendall(b"code %d;\n" % code)
        if leash.fileno() in select.select([leash.fileno(), woken], [], [])[0]:
            break
        os.read(woken, 64)
    is_cleared = bool(leash.recv(1))
    end(run, None if is_cleared else mark)


def end(run: int, mark: str | None) -> None:
    """Kill a run and its group, and whatever else has its mark."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    for _ in range(ROUNDS if mark else 0):
        if not sum(killed(int(one.name), f"{MARK}={mark}".encode()) for one in Path("/proc").glob("[0-9]*")):
            return


def killed(pid: int, wanted: bytes) -> bool:
    """Kill a process if it has a variable; return whether it had."""
    try:
        if wanted not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return False
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True


def prepare(order: dict[str, Any], output: int, leash: int, report: int) -> None:
    """Make of this process what a new one would find, and tell its id over the leash.

    From then on the driver can find it and all that it starts.
    """
    os.setsid()
    write_mark(order["env"][MARK].encode())
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    leash, output, report = (fcntl.fcntl(one, fcntl.F_DUPFD, REPORT + 1) for one in (leash, output, report))
    for source, target in ((output, 1), (output, 2), (report, REPORT)):
        os.dup2(source, target)
    with socket.socket(fileno=leash) as told:
        told.sendall(b"pid %d;\n" % os.getpid())
    last = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    os.closerange(REPORT + 1, last + 1)


def write_mark(mark: bytes) -> None:
    """Write the mark where /proc shows this process's variables, which are those of the server until then."""
    variables = Path("/proc/self/environ")
    shown = b"\0" + variables.read_bytes()
    at = shown.index(f"\0{MARK}=".encode()) + len(MARK) + 1
    start = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[ENV_START])
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(start + at)
        memory.write(mark)
    if f"{MARK}=".encode() + mark not in variables.read_bytes().split(b"\0"):
        raise OSError("the mark is not seen")


def become_pytest(order: dict[str, Any]) -> NoReturn:
    """Run `python -m pytest`."""
    paths = map(os.path.abspath, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    sys.path[:0] = [path for path in paths if path not in sys.path]
    if not IS_SAFE:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    sys.argv[:] = ["pytest", *order["arguments"]]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, "-m", *sys.argv]
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
