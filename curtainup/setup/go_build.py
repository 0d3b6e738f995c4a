"""Builds a program from Go modules, once per version and user; nobody ever sees an incomplete build."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from curtainup.errors import SetupError
from curtainup.setup import paths, versions
from curtainup.setup.process import Report, run

BUILD_LIMIT = 3600.0
"""Seconds that a build may take. On two cores it takes three to four minutes, mostly in the compiler."""


@dataclass(frozen=True)
class Program:
    """A program that set-up can build.

    Attributes:
        name: the name of the executable.
        title: its name for people.
        version: the version that the build gives it.
        module: the folder of its go.mod.
        package: the Go package that `go build` builds.
        variables: the Go variables that the build sets, such as the one that holds the version.
        minutes: how long people wait for the build, in words.

    """

    name: str
    title: str
    version: str
    module: Path
    package: str
    variables: Mapping[str, str]
    minutes: str = "a few minutes"

    def key(self) -> str:
        """Return a short hash of the sources: other sources make another program."""
        digest = hashlib.sha256()
        for source in sorted(path for path in self.module.rglob("*") if path.is_file()):
            digest.update(f"{source.relative_to(self.module)}\0".encode() + source.read_bytes())
        return digest.hexdigest()[:12]

    def path(self) -> Path:
        """Return the path of the built program, present or future: `NAME-VERSION-KEY/NAME` in the cache."""
        return paths.cache_dir() / f"{self.name}-{self.version}-{self.key()}" / self.name


def ensure(program: Program, report: Report) -> Path:
    """Return the path of the built program; build it if it is missing.

    When two processes need the same program, the second waits while the first builds it.

    Raises:
        SetupError: Go is missing or too old, or the build failed.

    """
    path = program.path()
    if path.is_file():
        return path
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{path.parent}.lock"), program.title, report):
        if not path.is_file():
            _build(program, path, report)
    return path


def find_go() -> Path:
    """Return the path of a Go that can build the engine.

    Raises:
        SetupError: Go is missing or too old.

    """
    go = shutil.which("go")
    fix = f"put Go {versions.GO_MINIMUM} or newer on PATH, or install Pulumi with its own installer"
    if go is None:
        raise SetupError("Go is not on PATH, and curtainup needs it to build the Pulumi engine", fix=fix)
    # Run it outside of any module, so that no go.mod asks Go for another toolchain.
    version = run([go, "version"], "asking Go for its version", _silent, timeout=60, cwd=Path("/"))
    if not versions.at_least(version.removeprefix("go version go"), versions.GO_MINIMUM):
        raise SetupError(f"Go is too old: {version.strip()}", where=go, fix=fix)
    return Path(go)


def _build(program: Program, path: Path, report: Report) -> None:
    go = find_go()
    report(f"building {program.title} from Go modules: once per version, {program.minutes}")
    with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix=f".{program.name}-") as temporary:
        output = Path(temporary) / "built" / program.name
        flags = ["-v", "-buildvcs=false", "-trimpath"]
        linker = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in program.variables.items())])
        run(
            [go, "build", *flags, "-ldflags", linker, "-o", output, program.package],
            f"building {program.title}",
            report,
            timeout=BUILD_LIMIT,
            env={"CGO_ENABLED": "0"},
            cwd=program.module,
        )
        shutil.rmtree(path.parent, ignore_errors=True)
        output.parent.rename(path.parent)


@contextmanager
def locked(path: Path, title: str, report: Report) -> Iterator[None]:
    """Hold the lock of a build, and report it if another process holds it; the lock ends with its process.

    Args:
        path: of the lock.
        title: what is built, for people.
        report: gets a line if somebody else is at it.

    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        report(f"another process is building {title}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _silent(_: str) -> None:
    """Ignore progress that nobody needs."""
