"""`init --eject`: the Pulumi program as files of the service's own, planned first and then written whole."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from curtainup import __version__
from curtainup.commands.init.filling import fill
from curtainup.commands.init.models import PlannedFile, State
from curtainup.config import STANDARD_ENVIRONMENTS, ServiceConfig
from curtainup.engine import ejected
from curtainup.engine.ejected import FOLDER, STAMP, Stamp
from curtainup.errors import RefusedError
from curtainup.setup.paths import program_dir
from curtainup.targets import extras_of

SOURCES = ("__main__.py", "stacks/**/*.py", "components/**/*.py")
"""What is copied from the program that this package carries."""
FIX = "--force overwrites them; --dry-run shows how they differ"
TODO = (
    f"read {FOLDER}/README.md",
    f"commit {FOLDER}/, which goes into no image; then `curtainup preview` shows that nothing changes",
)


def plan(service_dir: Path, config: ServiceConfig) -> tuple[PlannedFile, ...]:
    """Return the files of a service's own program, its stamp last, each compared with what is there."""
    texts = _texts(config)
    digest = ejected.digest({name: text.encode() for name, text in texts.items()})
    texts[STAMP] = ejected.written(Stamp(__version__, ejected.contract(), digest))
    folder = service_dir.resolve() / FOLDER
    return tuple(
        PlannedFile(folder / name, f"{FOLDER}/{name}", text, _state(folder / name, text))
        for name, text in texts.items()
    )


def difference(file: PlannedFile) -> str:
    """Return how a file that is there differs from what would be written, as `diff -u` says it."""
    there = file.path.read_text(errors="replace") if file.path.is_file() else ""
    lines = difflib.unified_diff(
        there.splitlines(), file.text.splitlines(), file.shown, f"curtainup {__version__}", lineterm=""
    )
    return "\n".join(lines)


def write(service_dir: Path, files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """Write what is not there yet, or not the same: into a folder apart, which then takes its place.

    Returns:
        The files that were written.

    Raises:
        RefusedError: something is in the way, or the folder cannot be written; nothing has been.

    """
    folder = service_dir.resolve() / FOLDER
    chosen = [file for file in files if file.state != "same"]
    _require_room(chosen)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{FOLDER}-") as name:
            _lay_out(Path(name) / FOLDER, folder, chosen)
            _move(Path(name) / FOLDER, folder, chosen)
    except OSError as error:
        raise RefusedError(
            f"{FOLDER}/ cannot be written",
            where=str(folder),
            consequence="the program is missing or incomplete",
            fix="make room for it, or make the folder writable, and run the command again",
            detail=str(error),
        ) from error
    return chosen


def _texts(config: ServiceConfig) -> dict[str, str]:
    program = program_dir()
    sources = [path for pattern in SOURCES for path in sorted(program.glob(pattern))]
    return {
        "README.md": fill("eject/README.md", {"version": __version__}),
        ".gitignore": fill("eject/gitignore", {}),
        "Pulumi.yaml": fill("eject/Pulumi.yaml", {}),
        "requirements.txt": f"curtainup{_extras(config)}=={__version__}\n",
        **{path.relative_to(program).as_posix(): path.read_text(encoding="utf-8") for path in sources},
    }


def _extras(config: ServiceConfig) -> str:
    targets = {config.for_environment(name).deploy_target for name in STANDARD_ENVIRONMENTS}
    names = extras_of(targets)
    return f"[{','.join(names)}]" if names else ""


def _state(path: Path, text: str) -> State:
    if not path.exists() and not path.is_symlink():
        return "new"
    return "same" if path.is_file() and path.read_bytes() == text.encode() else "differs"


def _require_room(files: Sequence[PlannedFile]) -> None:
    """Check that a file is, or can be, where each is to go."""
    for file in files:
        parents = [one for one in file.path.parents if one.name and one.exists() and not one.is_dir()]
        blocking = [file.path] if file.path.is_dir() else parents
        if blocking:
            raise RefusedError(
                f"{file.shown} cannot be written",
                where=str(blocking[0]),
                consequence="nothing was written",
                fix="move what is there to another place, and run the command again",
            )


def _lay_out(apart: Path, folder: Path, files: Sequence[PlannedFile]) -> None:
    """Write the files into a folder of the same file system, and make the folders that they go to."""
    for file in files:
        path = apart / file.path.relative_to(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")


def _move(apart: Path, folder: Path, files: Sequence[PlannedFile]) -> None:
    """Put the files in their place: in one step where there is no folder yet, else the stamp last."""
    if not folder.exists():
        apart.rename(folder)
        return
    for file in files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        (apart / file.path.relative_to(folder)).replace(file.path)
