"""Writes a program as an image with one layer, as `docker save` does, without Docker.

The same program gives the same bytes. `ctr images import` and `docker load` take the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curtainup.errors import SetupError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What images call a machine, by what the machine calls itself."""

FOLDERS = {"tmp": 0o1777, "etc": 0o755}
"""The folders that every image has, with their modes."""


LIMIT = 60.0
"""Seconds that the look for a program's libraries may take."""


@dataclass(frozen=True)
class Image:
    """An image of one program.

    Attributes:
        name: its reference.
        program: the program on this machine.
        path: where it is in the image.
        arguments: those that it always gets.
        user: the id of the user and group that it runs as.

    """

    name: str
    program: Path
    path: str
    arguments: Sequence[str] = ()
    user: int = 65532


def write(image: Image, file: Path) -> None:
    """Write an image; a program that is linked with libraries brings those of this machine.

    Raises:
        SetupError: its libraries cannot be found.

    """
    layer = _layer({image.path: image.program, **_libraries(image.program)})
    config = _json(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {
                "Entrypoint": [image.path, *image.arguments],
                "User": f"{image.user}:{image.user}",
                "Env": [f"PATH={PurePosixPath(image.path).parent}"],
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    )
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = _json([{"Config": name, "RepoTags": [image.name], "Layers": ["layer.tar"]}])
    with tarfile.open(file, "w") as archive:
        for path, content in ((name, config), ("layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def libraries(listed: str) -> list[str]:
    """Return the paths in what ldd(1) prints: `libc.so => /lib/libc.so (0x…)` and `/lib64/ld.so (0x…)`."""
    return re.findall(r"(?m)(?:=>\s+|^\s*)(/\S+)", listed)


def _libraries(program: Path) -> Mapping[str, Path]:
    what = f"the libraries of {program} cannot be found"
    try:
        listed = subprocess.run(
            ["ldd", program],
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(what, detail=str(error)) from error
    if listed.returncode != 0 and "not a dynamic executable" not in listed.stderr:
        raise SetupError(what, detail=listed.stderr.strip())
    return {path: Path(path) for path in libraries(listed.stdout)}


def _layer(files: Mapping[str, Path]) -> bytes:
    """Return a tar archive of files by their paths in the image, with the folders that lead there."""
    modes = {
        str(folder).lstrip("/"): 0o755
        for path in files
        for folder in PurePosixPath(path).parents
        if str(folder) != "/"
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for folder, mode in sorted((modes | FOLDERS).items()):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        for path, source in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = source.stat().st_size, 0o755
            with source.open("rb") as stream:
                archive.addfile(entry, stream)
    return raw.getvalue()


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
