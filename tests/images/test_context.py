"""A build gets what the commit has, whatever the working tree, the clone, the user or a hook has done."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curtainup.errors import SourceError
from curtainup.images import context
from tests.images.repositories import Repository, snapshot

EDIT = "app = 'EDITED'\n"


@contextmanager
def masked(mask: int) -> Iterator[None]:
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)


@pytest.fixture
def origin(repository: Repository) -> Repository:
    """A repository with one of everything that a clone can be made to show differently."""
    repository.write(".gitattributes", "* text=auto\n*.bat eol=crlf\n*.bin -text\nid.txt ident\n")
    repository.write("run.sh", "#!/bin/sh\necho started\n")
    (repository.folder / "run.sh").chmod(0o755)
    repository.write("start.bat", "echo started\n")
    repository.write("id.txt", "$Id$\n")
    repository.write_bytes("raw.bin", b"a\r\nb\n\0")
    repository.write("part/one.txt", "one\n")
    repository.write("testaccept/test_it.py", "\n")
    (repository.folder / "link").symlink_to("part/one.txt")
    (repository.folder / "folder-link").symlink_to("part")
    (repository.folder / "absolute-link").symlink_to("/etc/hostname")
    repository.commit()
    return repository


def _assume_unchanged(clone: Repository) -> None:
    clone.git("update-index", "--assume-unchanged", "server.py")
    clone.write("server.py", EDIT)


def _assume_gone(clone: Repository) -> None:
    clone.git("update-index", "--assume-unchanged", "server.py")
    (clone.folder / "server.py").unlink()


def _skip_worktree(clone: Repository) -> None:
    clone.git("update-index", "--skip-worktree", "server.py")
    clone.write("server.py", EDIT)


def _ignore_stat(clone: Repository) -> None:
    clone.git("config", "core.ignoreStat", "true")
    clone.git("checkout", "-q", "-f", "HEAD", "--", ".")
    clone.git("update-index", "--really-refresh")
    clone.git("update-index", "--assume-unchanged", "part/one.txt")
    clone.write("part/one.txt", EDIT)


def _sparse(clone: Repository) -> None:
    clone.git("sparse-checkout", "set", "testaccept")
    assert not (clone.folder / "part").exists()


def _file_mode(clone: Repository) -> None:
    clone.git("config", "core.fileMode", "false")
    (clone.folder / "run.sh").chmod(0o600)
    (clone.folder / "server.py").chmod(0o777)


def _own_attributes(clone: Repository) -> None:
    """Attributes and a filter that only this clone has."""
    (clone.folder / ".git/info").mkdir(exist_ok=True)
    (clone.folder / ".git/info/attributes").write_text("*.py filter=own eol=crlf\nlink export-ignore\n")
    clone.git("config", "filter.own.smudge", "sed s/app/EDITED/")
    clone.git("config", "filter.own.clean", "sed s/EDITED/app/")


def _replaced(clone: Repository) -> None:
    """`git replace` shows another commit under the name of this one."""
    head = clone.git("rev-parse", "HEAD")
    clone.write("server.py", EDIT)
    other = clone.commit()
    clone.git("reset", "-q", "--hard", head)
    clone.git("replace", head, other)


def _grafted(clone: Repository) -> None:
    (clone.folder / ".git/info").mkdir(exist_ok=True)
    (clone.folder / ".git/info/grafts").write_text(clone.git("rev-parse", "HEAD") + "\n")


SAME = pytest.mark.matrix(
    reason="test_what_git_was_told_not_to_look_at_does_not_reach_the_build shows some of them"
)
SPOILED = [
    _assume_unchanged,
    pytest.param(_assume_gone, marks=SAME),
    pytest.param(_skip_worktree, marks=SAME),
    pytest.param(_ignore_stat, marks=SAME),
    _sparse,
    _file_mode,
    _own_attributes,
    _replaced,
    pytest.param(_grafted, marks=SAME),
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_what_git_was_told_not_to_look_at_does_not_reach_the_build(
    origin: Repository, spoil: Callable[[Repository], None]
) -> None:
    expected, built = origin.read(), snapshot(origin.export())
    clone = origin.clone("clone")
    spoil(clone)
    found = clone.read()
    assert (found.tree, found.version, found.dirty) == (expected.tree, expected.version, False)
    assert snapshot(clone.export()) == built


@pytest.mark.parametrize(
    "setting",
    [
        "core.autocrlf=true",
        pytest.param("core.autocrlf=input", marks=SAME),
        pytest.param("core.eol=crlf", marks=SAME),
        pytest.param("core.symlinks=false", marks=SAME),
    ],
)
def test_how_a_clone_converts_files_does_not_reach_the_build(origin: Repository, setting: str) -> None:
    expected, built = origin.read(), snapshot(origin.export())
    clone = origin.clone("clone", "-c", setting)
    found = clone.read()
    assert (found.tree, found.version) == (expected.tree, expected.version)
    assert snapshot(clone.export()) == built


@pytest.mark.parametrize("mask", [0o077, pytest.param(0o002, marks=SAME), pytest.param(0o000, marks=SAME)])
def test_neither_the_umask_of_the_checkout_nor_of_the_build_reaches_the_build(
    origin: Repository, mask: int
) -> None:
    built = snapshot(origin.export())
    with masked(mask):
        clone = origin.clone("clone")
        assert snapshot(clone.export()) == built
    assert built["run.sh"].startswith("file 755 ")
    assert built["server.py"].startswith("file 644 ")
    assert built["part"] == "folder 755"


def test_a_shallow_clone_and_a_linked_working_tree_build_the_same(origin: Repository) -> None:
    built, tree = snapshot(origin.export()), origin.read().tree
    url = f"file://{origin.folder}"
    origin.git("clone", "-q", "--depth", "1", url, str(origin.folder.with_name("shallow")))
    origin.git("worktree", "add", "-q", str(origin.folder.with_name("linked")))
    for name in ("shallow", "linked"):
        other = Repository(origin.folder.with_name(name), new=False)
        assert other.read().tree == tree
        assert snapshot(other.export()) == built


@pytest.mark.parametrize("left_out", ["blob:none", pytest.param("tree:0", marks=SAME)])
def test_a_partial_clone_gets_what_it_lacks(origin: Repository, left_out: str) -> None:
    built = snapshot(origin.export())
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    folder = origin.folder.with_name("partial")
    origin.git("clone", "-q", "--no-checkout", f"--filter={left_out}", f"file://{origin.folder}", str(folder))
    partial = Repository(folder, new=False)
    partial.git("sparse-checkout", "set", "testaccept")
    partial.git("checkout", "-q")
    assert snapshot(partial.export()) == built


def test_a_partial_clone_without_its_remote_says_so(origin: Repository) -> None:
    origin.git("config", "uploadpack.allowFilter", "true")
    folder = origin.folder.with_name("partial")
    origin.git("clone", "-q", "--sparse", "--filter=blob:none", f"file://{origin.folder}", str(folder))
    partial = Repository(folder, new=False)
    partial.git("sparse-checkout", "set", "testaccept")
    found = partial.read()
    origin.folder.rename(origin.folder.with_name("moved"))
    with pytest.raises(SourceError, match="partial") as caught:
        context.export(found, folder.with_name("context"), {})
    assert "fetch origin" in str(caught.value.fix)


def test_the_commit_converts_its_files_as_a_checkout_does(origin: Repository, tmp_path: Path) -> None:
    origin.write(".gitattributes", "*.bat eol=crlf\nwide.txt working-tree-encoding=UTF-16LE\nid.txt ident\n")
    origin.write_bytes("wide.txt", "wide\n".encode("utf-16-le"))
    origin.commit()
    built = origin.export()
    assert (built / "start.bat").read_bytes() == b"echo started\r\n"
    assert (built / "wide.txt").read_bytes() == "wide\n".encode("utf-16-le")
    assert (built / "id.txt").read_text().startswith("$Id: ")
    assert (built / "link").readlink() == Path("part/one.txt")
    assert (built / "absolute-link").readlink() == Path("/etc/hostname")


def test_attributes_above_the_service_count_in_a_monorepo(repository: Repository) -> None:
    repository.write("shop/start.bat", "echo started\n")
    repository.commit()
    before = repository.read("shop")
    repository.write(".gitattributes", "*.bat text eol=crlf\n")
    repository.commit()
    assert repository.read("shop").tree != before.tree
    built = repository.export("shop")
    assert sorted(path.name for path in built.iterdir()) == ["start.bat"]
    assert (built / "start.bat").read_bytes() == b"echo started\r\n"


def test_files_are_as_old_as_their_commit(origin: Repository) -> None:
    built = origin.export()
    assert {int(path.lstat().st_mtime) for path in built.rglob("*")} == {1586938770}


def test_nothing_of_an_earlier_build_or_of_a_killed_one_remains(origin: Repository) -> None:
    built = origin.export()
    (built / "old").write_text("")
    left = built.with_name(f"{built.name}.new")
    (left / "context").mkdir(parents=True)
    assert not (origin.export() / "old").exists()
    assert not left.exists()


def test_what_export_ignore_names_is_left_out_and_counted(repository: Repository) -> None:
    repository.write("docs/a.md", "a")
    repository.write("docs/deep/b.md", "b")
    repository.write("big.psd", "c")
    repository.write("app/.gitattributes", "util.py export-ignore\n")
    repository.write(".dockerignore", "x\n")
    repository.write("Dockerfile", "FROM x\n")
    repository.commit()
    whole = repository.read()
    repository.write(
        ".gitattributes",
        "docs/ export-ignore\n*.psd export-ignore\nDockerfile export-ignore\n.dockerignore export-ignore\n",
    )
    repository.commit()
    found = repository.read()
    assert found.left_out == ("app/util.py", "big.psd", "docs/a.md", "docs/deep/b.md")
    assert set(found.files) == {
        ".dockerignore",
        ".gitattributes",
        "Dockerfile",
        "app/.gitattributes",
        "server.py",
    }
    assert found.tree != whole.tree
    assert {str(path.relative_to(built)) for built in [repository.export()] for path in built.rglob("*")} == {
        *found.files,
        "app",
    }
    repository.write("docs/a.md", "changed")
    repository.commit()
    assert repository.read().tree == found.tree, "no build reads it"


def test_what_git_archive_packs_is_what_is_built(repository: Repository, tmp_path: Path) -> None:
    """PyMacaron's pymdeploy built from `git archive`."""
    repository.write(
        ".gitattributes",
        "[attr]private export-ignore\n/a/b private\n*.txt export-ignore\nkeep.txt -export-ignore\n",
    )
    for name in ("a/b/one", "a/two", "b/three", "x.txt", "a/x.txt", "keep.txt", "sub/keep.txt"):
        repository.write(name, name)
    repository.commit()
    packed = subprocess.run(
        ["git", "-C", str(repository.folder), "archive", "HEAD"], check=True, capture_output=True
    ).stdout
    listed = (
        subprocess.run(["tar", "-t"], input=packed, check=True, capture_output=True).stdout.decode().split()
    )
    assert set(repository.read().files) == {name for name in listed if not name.endswith("/")}


# Submodules


@pytest.fixture
def outer(repository: Repository, tmp_path: Path) -> Repository:
    """A repository whose `vendor/lib` is a submodule with a submodule `deep`."""
    deep, lib = Repository(tmp_path / "deep"), Repository(tmp_path / "lib")
    deep.commit()
    lib.git("submodule", "add", "-q", str(deep.folder), "deep")
    lib.commit()
    repository.git("submodule", "add", "-q", str(lib.folder), "vendor/lib")
    repository.git("submodule", "update", "-q", "--init", "--recursive")
    repository.commit()
    return repository


def test_submodules_are_built_from_their_own_objects(outer: Repository) -> None:
    built = snapshot(outer.export())
    assert "vendor/lib/deep/server.py" in built
    clone = outer.clone("clone", "--recurse-submodules")
    clone.git("-C", "vendor/lib/deep", "update-index", "--assume-unchanged", "server.py")
    clone.write("vendor/lib/deep/server.py", EDIT)
    assert clone.read().tree == outer.read().tree
    assert snapshot(clone.export()) == built
    assert snapshot(clone.export(dirty=True)) != built
    assert "-dirty-" in clone.read(dirty=True).version


@pytest.mark.parametrize(
    ("absent", "named"), [("vendor/lib", "vendor/lib"), ("vendor/lib/deep", "vendor/lib/deep")]
)
def test_a_submodule_that_is_not_checked_out_is_named(outer: Repository, absent: str, named: str) -> None:
    clone = outer.clone("clone", "--recurse-submodules")
    clone.git("-C", str(Path(absent).parent), "submodule", "-q", "deinit", "-f", Path(absent).name)
    found = clone.read()
    assert found.tree == outer.read().tree, "what is in the registry is known without it"
    with pytest.raises(SourceError, match="a submodule is not checked out") as caught:
        context.require_modules(found)
    assert caught.value.where == named
    fix = str(caught.value.fix)
    assert fix == f"git -C {clone.folder} submodule update --init --recursive"
    clone.git(*fix.split()[3:])
    assert snapshot(clone.export()) == snapshot(outer.export())


def test_another_commit_in_a_submodule_is_a_change(outer: Repository) -> None:
    inner = Repository(outer.folder / "vendor/lib", new=False)
    inner.write("server.py", EDIT)
    inner.commit()
    assert outer.refused().where == "vendor/lib"
    found = outer.read(dirty=True)
    assert found.dirty
    assert "-dirty-" in found.version
    assert (outer.export(dirty=True) / "vendor/lib/server.py").read_text() == EDIT


# The working tree, for --dirty


@pytest.mark.parametrize("spoil", [_assume_unchanged, _skip_worktree])
def test_dirty_takes_what_git_was_told_not_to_look_at(
    origin: Repository, spoil: Callable[[Repository], None]
) -> None:
    clone = origin.clone("clone")
    assert clone.read(dirty=True).version == origin.read().version, "nothing is changed yet"
    spoil(clone)
    found = clone.read(dirty=True)
    assert found.dirty
    assert found.version == f"{origin.read().version}-dirty-{found.tree[:6]}"
    assert (clone.export(dirty=True) / "server.py").read_text() == EDIT


def test_dirty_has_what_a_sparse_checkout_leaves_out(origin: Repository) -> None:
    clone = origin.clone("clone")
    _sparse(clone)
    clone.write("server.py", EDIT)
    expected = {**snapshot(origin.export()), "server.py": ""}
    assert {**snapshot(clone.export(dirty=True)), "server.py": ""} == expected


def test_dirty_gives_changed_files_the_modes_of_git(origin: Repository) -> None:
    origin.write("server.py", EDIT)
    (origin.folder / "server.py").chmod(0o600)
    origin.write("new.sh", "")
    (origin.folder / "new.sh").chmod(0o700)
    origin.git("add", "new.sh")
    built = snapshot(origin.export(dirty=True))
    assert built["server.py"].startswith("file 644 ")
    assert built["new.sh"].startswith("file 755 ")


def test_a_file_that_changes_after_it_was_hashed_is_not_built(origin: Repository, tmp_path: Path) -> None:
    origin.write("server.py", EDIT)
    found = origin.read(dirty=True)
    origin.write("server.py", "later\n")
    with pytest.raises(SourceError, match="was changed while curtainup was at work"):
        context.export(found, tmp_path / "context", {})
    (origin.folder / "server.py").unlink()
    with pytest.raises(SourceError, match="was changed while curtainup was at work"):
        context.export(found, tmp_path / "context", {})


def test_a_file_that_became_a_folder_or_a_link_is_taken(origin: Repository) -> None:
    (origin.folder / "server.py").unlink()
    origin.write("server.py/inner.py", "x\n")
    (origin.folder / "run.sh").unlink()
    (origin.folder / "run.sh").symlink_to("id.txt")
    origin.git("add", "-A")
    built = snapshot(origin.export(dirty=True))
    assert "server.py/inner.py" in built
    assert built["run.sh"] == "link to id.txt"
