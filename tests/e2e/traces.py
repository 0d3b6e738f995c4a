"""Looking for secrets in everything that a deployment writes, in every form they may have taken."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

from curtainup.platforms.haproxy import config
from curtainup.setup import paths
from tests.e2e.service import FOLDER, Service

SHORTEST = 8
"""Bytes of the shortest form that is looked for: shorter ones are found by chance."""
PAUSE = 0.02
"""Seconds between two looks at all processes."""


def forms(value: str) -> set[bytes]:
    """The value and its lines: plain, quoted as Python, JSON, URLs and HTML forms do, and in base64."""
    found = set()
    for text in {value, *value.splitlines()}:
        quoted = (repr(text)[1:-1], ascii(text)[1:-1], json.dumps(text)[1:-1], quote(text), quote_plus(text))
        found |= {form.encode() for form in (text, json.dumps(text, ensure_ascii=False)[1:-1], *quoted)}
        found |= set(_inside_base64(text.encode()))
    return {form for form in found if len(form) >= SHORTEST}


def _inside_base64(data: bytes) -> Iterator[bytes]:
    """What base64 makes of the data wherever it begins in what is encoded: there are three ways."""
    for shift in range(3):
        padded = bytes(shift) + data
        whole = len(padded) - len(padded) % 3
        encoded = base64.b64encode(padded[:whole])[4 if shift else 0 :]
        yield encoded
        yield encoded.translate(bytes.maketrans(b"+/", b"-_"))


def holds(data: bytes, wanted: Iterable[bytes]) -> bool:
    """Whether any of the forms is in the data."""
    return any(form in data for form in wanted)


def in_files(service: Service, wanted: set[bytes]) -> list[str]:
    """Files that hold a form: of the repository's own folder, the user's data, the engine and the build."""
    folders = [service.folder / FOLDER, service.home, *paths.cache_dir().glob(f"build/{service.name}*")]
    return [str(file) for folder in folders for file in _files(folder) if holds(file.read_bytes(), wanted)]


def in_proxies(service: Service, wanted: set[bytes]) -> list[str]:
    """Proxies whose file holds a form."""
    client, found = service.host.client, []
    for name in service.host.containers():
        if name.endswith("-proxy"):
            file = client.containers.get(name).exec_run(["cat", config.CONFIG_FILE])
            assert file.exit_code == 0
            assert isinstance(file.output, bytes)
            found += [name] if holds(file.output, wanted) else []
    return found


def in_images(service: Service, wanted: set[bytes]) -> list[str]:
    """Images that hold a form, in a layer, in their settings or in how they were made."""
    client, found = service.host.client, []
    longest = max(map(len, wanted))
    for image in service.host.images():
        history = json.dumps(client.images.get(image).history(), ensure_ascii=False).encode()
        tail, leaked = b"", holds(history, wanted)
        for chunk in client.api.get_image(image):
            leaked = leaked or holds(tail + chunk, wanted)
            tail = chunk[-longest:]
        found += [image] if leaked else []
    return found


@contextmanager
def in_arguments(wanted: set[bytes]) -> Iterator[set[str]]:
    """Look at the arguments of all processes until the block ends; yields those that hold a form."""
    found: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(PAUSE):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # the process has just ended
                    arguments = file.read_bytes()
                    if holds(arguments, wanted):
                        found.add(arguments.replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder, or the file itself; links to what is shared are not followed."""
    if folder.is_file():
        yield folder
    yield from (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink())
