from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from curtainup.errors import SourceError
from curtainup.images import large_files
from curtainup.images.large_files import Pointer
from tests.images.repositories import Repository

CONTENT = b"weights\r\n\0" * 100
OID = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(CONTENT)}\n"
ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n"


@pytest.fixture
def pointing(repository: Repository) -> Repository:
    """A repository with a pointer, as after `GIT_LFS_SKIP_SMUDGE=1 git clone` or without Git LFS."""
    repository.write(".gitattributes", ATTRIBUTES)
    repository.write("data/model.bin", POINTER)
    repository.write("fixture.txt", POINTER)
    repository.commit()
    return repository


def _keep(repository: Repository, content: bytes = CONTENT) -> None:
    place = f".git/lfs/objects/{OID[:2]}/{OID[2:4]}/{OID}"
    repository.write_bytes(place, content)


def test_a_pointer_without_its_object_is_refused_and_named(pointing: Repository) -> None:
    with pytest.raises(SourceError, match="the content of 1 file is in Git LFS") as caught:
        pointing.export()
    assert caught.value.where == "data/model.bin"
    assert caught.value.fix == f"git -C {pointing.folder} lfs pull"


def test_an_object_that_is_there_is_built_whatever_the_working_tree_has(pointing: Repository) -> None:
    _keep(pointing)
    built = pointing.export()
    assert (built / "data/model.bin").read_bytes() == CONTENT
    assert f"{(built / 'data/model.bin').stat().st_mode & 0o777:o}" == "644"
    assert (built / "fixture.txt").read_text() == POINTER, (
        "a file without the filter is a text like any other"
    )


def test_a_broken_object_is_none(pointing: Repository) -> None:
    _keep(pointing, CONTENT[:-1] + b"x")
    with pytest.raises(SourceError, match="Git LFS"):
        pointing.export()


def test_a_linked_working_tree_has_the_objects_of_its_repository(pointing: Repository) -> None:
    _keep(pointing)
    pointing.git("worktree", "add", "-q", str(pointing.folder.with_name("linked")))
    linked = Repository(pointing.folder.with_name("linked"), new=False)
    assert (linked.export() / "data/model.bin").read_bytes() == CONTENT


def test_the_working_tree_may_have_the_content(pointing: Repository) -> None:
    """As Git LFS writes it; the filters come from the user's configuration, or it would be a change."""
    pointing.git("config", "filter.lfs.clean", f"printf '{POINTER}'".replace("\n", "\\n"))
    pointing.write_bytes("data/model.bin", CONTENT)
    found = pointing.read()
    assert not found.dirty
    assert (pointing.export() / "data/model.bin").read_bytes() == CONTENT


def test_a_content_that_was_never_made_a_pointer_is_built(pointing: Repository) -> None:
    _keep(pointing)
    pointing.git("config", "filter.lfs.clean", "cat")
    pointing.write_bytes("plain.bin", b"plain")
    pointing.commit()
    assert (pointing.export() / "plain.bin").read_bytes() == b"plain"


def test_dirty_takes_a_changed_content_and_refuses_a_changed_pointer(pointing: Repository) -> None:
    pointing.write_bytes("data/model.bin", b"changed")
    assert (pointing.export(dirty=True) / "data/model.bin").read_bytes() == b"changed"
    pointing.write("data/model.bin", POINTER.replace(OID, "0" * 64))
    with pytest.raises(SourceError, match="Git LFS"):
        pointing.export(dirty=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (POINTER, Pointer(OID, len(CONTENT))),
        (POINTER.replace("\n", "\r\n"), Pointer(OID, len(CONTENT))),
        (POINTER.replace("oid", "ext-0-foo sha256:ab\noid"), Pointer(OID, len(CONTENT))),
        (POINTER + "more\n", None),
        ("version 1\n", None),
        ("", None),
    ],
)
def test_a_pointer_is_told_from_other_files(tmp_path: Path, text: str, found: Pointer | None) -> None:
    (tmp_path / "file").write_bytes(text.encode())
    assert large_files.pointer(tmp_path / "file") == found


# Other filters


def _crypt(repository: Repository, header: str) -> None:
    """A file that is encrypted in git, and readable in this clone."""
    repository.write(".gitattributes", "secret.txt filter=crypt\n")
    repository.git("config", "filter.crypt.clean", f"printf '{header}'; tr a-z b-za")
    repository.write("secret.txt", "open sesame\n")
    repository.commit()


@pytest.mark.parametrize("header", [r"\0GITCRYPT\0", "U2FsdGVkX1"])
def test_an_encrypted_file_is_refused_and_dirty_takes_the_readable_one(
    repository: Repository, header: str
) -> None:
    _crypt(repository, header)
    with pytest.raises(SourceError, match="encrypted") as caught:
        repository.export()
    assert caught.value.where == "secret.txt"
    assert "--dirty" in str(caught.value.fix)
    assert (repository.export(dirty=True) / "secret.txt").read_text() == "open sesame\n"
    assert "-dirty-" in repository.read(dirty=True).version


def test_no_filter_of_one_clone_changes_what_is_built(repository: Repository) -> None:
    repository.write(".gitattributes", "*.txt filter=own\n")
    repository.write("a.txt", "committed\n")
    repository.commit()
    clone = repository.clone(
        "clone",
        "-c",
        "filter.own.smudge=sed s/committed/smudged/",
        "-c",
        "filter.own.clean=sed s/smudged/committed/",
    )
    assert (clone.folder / "a.txt").read_text() == "smudged\n"
    assert clone.read().tree == repository.read().tree
    assert (clone.export() / "a.txt").read_text() == "committed\n"
