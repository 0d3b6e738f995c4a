"""Whether a Docker engine can run programs of other processors, as Docker Desktop and binfmt_misc can.

The engine does not say so. So this runs the smallest program of such a processor, which only ends.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from curtainup.platforms.docker.errors import translated

if TYPE_CHECKING:
    import docker

_MACHINES: Final = {"amd64": 62, "arm64": 183}
"""The processors' numbers in an ELF header (elf.h: EM_X86_64, EM_AARCH64)."""
_EXIT: Final = {
    "amd64": bytes.fromhex("b83c000000 31ff 0f05"),  # mov eax, 60; xor edi, edi; syscall
    "arm64": bytes.fromhex("a80b80d2 000080d2 010000d4"),  # mov x8, 93; mov x0, 0; svc 0
}
"""The system call exit(0)."""
_ADDRESS: Final = 0x400000
_HEADERS: Final = 64 + 56
_PROGRAM: Final = "exit"


def program(architecture: str) -> bytes:
    """Return an ELF executable that ends with 0 on a processor: `amd64` or `arm64`."""
    code = _EXIT[architecture]
    size = _HEADERS + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    start, machine = _ADDRESS + _HEADERS, _MACHINES[architecture]
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, start, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 0x1000)
    return ident + header + segment + code


def can_run(client: docker.DockerClient, architecture: str, labels: Mapping[str, str]) -> bool:
    """Return whether an engine runs programs of a processor.

    Args:
        client: the engine's.
        architecture: `amd64` or `arm64`.
        labels: of the container that is made for it, and removed.

    Raises:
        SetupError: the engine failed.

    """
    with translated(
        f"the Docker engine does not say whether it runs {architecture}",
        where="a container that only ends",
        consequence="nothing was built",
    ):
        return _runs(client, _archive(program(architecture)), labels)


def _runs(client: docker.DockerClient, archive: bytes, labels: Mapping[str, str]) -> bool:
    from docker.errors import APIError

    told = json.loads(str(client.api.import_image_from_data(archive)).splitlines()[-1])
    image = str(told["status"])
    try:
        container = client.containers.create(
            image, [f"/{_PROGRAM}"], network_mode="none", labels=dict(labels)
        )
        try:
            container.start()
            return bool(container.wait()["StatusCode"] == 0)
        except APIError as error:
            if "exec format error" in str(error):
                return False
            raise
        finally:
            container.remove(force=True)
    finally:
        client.images.remove(image, force=True)


def _archive(content: bytes) -> bytes:
    """Return a file system with one program, as `docker import` takes it."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        entry = tarfile.TarInfo(_PROGRAM)
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()
