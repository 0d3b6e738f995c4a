from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup.cluster import archives
from curtainup.setup.cluster.archives import Image
from tests.setup.conftest import Script

LISTED = """
\tlinux-vdso.so.1 (0x00007ffd2a9f2000)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f5c3a000000)
\tlibgone.so.1 => not found
\t/lib64/ld-linux-x86-64.so.2 (0x00007f5c3a2d5000)
"""


def read(file: Path, member: str) -> bytes:
    with tarfile.open(file) as archive:
        stream = archive.extractfile(member)
        assert stream is not None
        return stream.read()


def test_the_libraries_are_those_that_have_a_path() -> None:
    assert archives.libraries(LISTED) == ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]
    assert archives.libraries("\tnot a dynamic executable\n") == []


def test_an_image_has_its_program_and_the_folders_that_lead_there(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    file = tmp_path / "image.tar"
    archives.write(Image("curtainup.local/x:1", program, "/usr/bin/x", ("run",), user=7), file)
    (listed,) = json.loads(read(file, "manifest.json"))
    config = json.loads(read(file, listed["Config"]))
    assert listed["RepoTags"] == ["curtainup.local/x:1"]
    assert config["config"]["Entrypoint"] == ["/usr/bin/x", "run"]
    assert config["config"]["User"] == "7:7"
    layer = read(file, "layer.tar")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    (tmp_path / "layer.tar").write_bytes(layer)
    with tarfile.open(tmp_path / "layer.tar") as archive:
        assert archive.getnames() == ["etc", "tmp", "usr", "usr/bin", "usr/bin/x"]
        assert archive.getmember("tmp").mode == 0o1777


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    written = []
    for name in ("one", "other"):
        archives.write(Image("x:1", program, "/x"), tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_a_linked_program_brings_its_libraries(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    archives.write(Image("x:1", Path("/bin/ls"), "/ls"), file)
    (tmp_path / "layer.tar").write_bytes(read(file, "layer.tar"))
    with tarfile.open(tmp_path / "layer.tar") as archive:
        assert any(Path(name).name.startswith("libc.so") for name in archive.getnames())


@pytest.mark.parametrize("answer", [None, "exec /bin/sleep 30", "echo broken >&2; exit 1"])
@pytest.mark.usefixtures("alone_on_path")
def test_libraries_that_cannot_be_found_are_told(
    answer: str | None, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LIMIT", 0.2)
    if answer:
        script("bin/ldd", answer)
    with pytest.raises(SetupError, match="cannot be found"):
        archives.write(Image("x:1", tmp_path / "x", "/x"), tmp_path / "image.tar")


@pytest.mark.usefixtures("alone_on_path")
def test_a_program_without_libraries_is_known_in_every_language(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    script("bin/ldd", '[ "$LC_ALL" = C ] && echo "not a dynamic executable" >&2; exit 1')
    program = script("program", "exit 0")
    archives.write(Image("x:1", program, "/x"), tmp_path / "image.tar")
    assert (tmp_path / "image.tar").is_file()
