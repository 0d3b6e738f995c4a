from __future__ import annotations

import os
from pathlib import Path

import pytest

from curtainup.errors import SourceError
from curtainup.images import context, source
from tests.images.repositories import UNUSUAL, Repository


def test_the_version_is_date_count_and_short_hash(repository: Repository) -> None:
    repository.commit()
    revision = repository.commit()
    found = repository.read()
    assert found.version == f"200415-0819-2-{revision[:6]}"
    assert found.revision == revision
    assert found.files == ("app/util.py", "server.py")
    assert not found.dirty


def test_the_tree_follows_the_content_and_not_the_commit(repository: Repository) -> None:
    repository.commit()
    first = repository.read()
    repository.commit()
    second = repository.read()
    assert first.tree == second.tree
    assert first.version != second.version


def test_a_monorepo_gives_only_the_folder(repository: Repository) -> None:
    repository.write("shop/server.py", "app = 2\n")
    repository.commit()
    before = repository.read("shop")
    assert before.files == ("server.py",)
    repository.write("server.py", "app = 3\n")
    assert not repository.read("shop").dirty, "a change elsewhere is none of this service"
    repository.commit()
    assert repository.read("shop").tree == before.tree


def test_a_dirty_tree_is_refused_and_named(repository: Repository) -> None:
    repository.commit()
    repository.write("server.py", "app = 2\n")
    error = repository.refused()
    assert error.what == "1 tracked file differs from the last commit"
    assert error.where == "server.py"
    assert "--dirty" in str(error.fix)


def test_of_many_dirty_files_five_are_named(repository: Repository) -> None:
    for number in range(7):
        repository.write(f"{number}.py", "")
    repository.commit()
    for number in range(7):
        repository.write(f"{number}.py", "x")
    error = repository.refused()
    assert error.what == "7 tracked files differ from the last commit"
    assert error.where == "0.py, 1.py, 2.py, 3.py, 4.py …"


def test_a_dirty_tree_has_a_version_of_its_own(repository: Repository) -> None:
    revision = repository.commit()
    repository.write("server.py", "app = 2\n")
    found = repository.read(dirty=True)
    assert found.version == f"200415-0819-1-{revision[:6]}-dirty-{found.tree[:6]}"
    assert found.dirty
    assert repository.read(dirty=True) == found
    repository.write("server.py", "app = 3\n")
    assert repository.read(dirty=True).tree != found.tree


def test_a_dirty_tree_tells_modes_and_links_apart(repository: Repository) -> None:
    repository.write("other.py", "app = 1\n")
    (repository.folder / "link").symlink_to("server.py")
    repository.commit()
    trees = {repository.read().tree}
    (repository.folder / "link").unlink()
    (repository.folder / "link").symlink_to("other.py")
    trees.add(repository.read(dirty=True).tree)
    (repository.folder / "server.py").chmod(0o755)
    trees.add(repository.read(dirty=True).tree)
    repository.write("other.py", "app = 4\n")
    trees.add(repository.read(dirty=True).tree)
    (repository.folder / "other.py").chmod(0o755)
    trees.add(repository.read(dirty=True).tree)
    (repository.folder / "link").unlink()
    trees.add(repository.read(dirty=True).tree)
    assert len(trees) == 6


def test_a_deleted_file_is_a_change_and_is_not_built(repository: Repository) -> None:
    repository.commit()
    (repository.folder / "server.py").unlink()
    assert repository.refused().where == "server.py"
    assert repository.read(dirty=True).files == ("app/util.py",)


def test_untracked_files_are_neither_a_change_nor_built(repository: Repository) -> None:
    repository.commit()
    repository.write(".env", "SECRET=1")
    found = repository.read()
    assert not found.dirty
    assert ".env" not in found.files


def test_an_added_file_is_a_change_and_is_built(repository: Repository) -> None:
    repository.commit()
    repository.write("new.py", "")
    repository.git("add", "new.py")
    assert repository.refused().where == "new.py"
    assert "new.py" in repository.read(dirty=True).files


def test_unusual_names_arrive_in_the_build_as_they_are(repository: Repository, tmp_path: Path) -> None:
    raw = os.fsdecode(b"latin-\xe9.txt")
    for name in [*UNUSUAL, raw]:
        repository.write(name, name.encode(errors="surrogateescape").hex())
    repository.commit()
    found = repository.read()
    assert {*UNUSUAL, raw} <= set(found.files)
    context.export(found, tmp_path / "context", {})
    assert {*UNUSUAL, raw} <= {path.name for path in (tmp_path / "context").iterdir()}
    repository.write(raw, "changed")
    assert repository.read(dirty=True).tree != found.tree


def test_the_context_holds_the_files_as_they_are_now_and_nothing_else(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write("run.sh", "#!/bin/sh\n")
    (repository.folder / "run.sh").chmod(0o755)
    (repository.folder / "link").symlink_to("server.py")
    (repository.folder / "dangling").symlink_to("nowhere")
    repository.commit()
    repository.write("server.py", "app = 2\n")
    repository.write("untracked.py", "")
    folder = tmp_path / "context"
    (folder / "old").mkdir(parents=True)
    context.export(repository.read(dirty=True), folder, {"Dockerfile.curtainup": "FROM x\n"})
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert names == {"Dockerfile.curtainup", "app", "app/util.py", "dangling", "link", "run.sh", "server.py"}
    assert (folder / "server.py").read_text() == "app = 2\n"
    assert os.access(folder / "run.sh", os.X_OK)
    assert (folder / "link").readlink() == Path("server.py")
    assert (folder / "dangling").readlink() == Path("nowhere")


def test_a_submodule_is_built_with_its_files(repository: Repository, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.folder), "lib")
    repository.commit()
    found = repository.read()
    assert "lib/server.py" in found.files
    context.export(found, tmp_path / "context", {})
    assert (tmp_path / "context/lib/server.py").is_file()
    repository.write("lib/server.py", "app = 2\n")
    changed = repository.read(dirty=True)
    repository.write("lib/server.py", "app = 3\n")
    assert len({found.tree, changed.tree, repository.read(dirty=True).tree}) == 3


def test_a_detached_head_has_its_own_version(repository: Repository) -> None:
    first = repository.commit()
    repository.commit()
    repository.git("checkout", "-q", "--detach", first)
    assert repository.read().version == f"200415-0819-1-{first[:6]}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://user:token@example.com/team/shop.git", "https://example.com/team/shop.git"),
        ("https://example.com/team@work/shop.git", "https://example.com/team@work/shop.git"),
        ("https://token@example.com/team@work/shop", "https://example.com/team@work/shop"),
        ("git@example.com:team/shop.git", "git@example.com:team/shop.git"),
        ("ssh://git@example.com:22/team/shop", "ssh://example.com:22/team/shop"),
    ],
)
def test_the_address_of_the_source_carries_no_password(repository: Repository, given: str, kept: str) -> None:
    repository.commit()
    assert repository.read().url == ""
    repository.git("remote", "add", "origin", given)
    assert repository.read().url == kept


def test_without_git_the_fix_is_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed") as caught:
        source.read(tmp_path, allow_dirty=False)
    assert caught.value.fix == "apt-get install git"


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8"])
def test_outside_a_repository_the_fix_is_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setenv("LANGUAGE", language[:2])
    with pytest.raises(SourceError, match="not in a git repository") as caught:
        source.read(tmp_path, allow_dirty=False)
    assert "git init" in str(caught.value.fix)


def test_a_repository_without_a_commit_is_refused(repository: Repository) -> None:
    assert repository.refused().what == "the repository has no commit yet"


def test_a_folder_of_which_nothing_is_tracked_is_refused(repository: Repository) -> None:
    repository.commit()
    (repository.folder / "new").mkdir()
    repository.write("new/server.py", "")
    assert repository.refused("new").what == "git tracks no file here"


def test_a_folder_that_is_only_staged_is_dirty(repository: Repository) -> None:
    repository.commit()
    repository.write("new/server.py", "")
    repository.git("add", "new")
    assert repository.refused("new").where == "server.py"
    assert repository.read("new", dirty=True).files == ("server.py",)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")
def test_a_repository_of_another_user_is_refused_as_git_does(repository: Repository) -> None:
    repository.commit()
    for path in [repository.folder, *repository.folder.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    error = repository.refused()
    assert error.what == "git refuses this repository, because another user owns it"
    assert str(repository.folder) in str(error.fix)


def _eject(repository: Repository, folder: str = ".") -> None:
    repository.write(f"{folder}/infra/ejected.yaml", "curtainup: 0.1.0\n")
    repository.write(f"{folder}/infra/components/labels.py", "x = 1\n")


@pytest.mark.parametrize("folder", [".", "app"])
def test_a_program_that_the_service_owns_is_no_part_of_what_is_built(
    repository: Repository, folder: str
) -> None:
    """Ejecting rebuilds no image, nor does an edit of what was ejected; an edit of the service does."""
    repository.commit()
    before = repository.read(folder)
    _eject(repository, folder)
    assert repository.read(folder).tree == before.tree
    repository.commit()
    after = repository.read(folder)
    assert (after.tree, after.files) == (before.tree, before.files)
    repository.write(f"{folder}/more.py", "")
    repository.commit()
    assert repository.read(folder).tree != before.tree
    assert set(repository.read(folder).files) - set(before.files) == {"more.py"}


def test_an_edit_of_the_program_must_be_committed_too_but_is_not_in_the_version(
    repository: Repository,
) -> None:
    _eject(repository)
    repository.commit()
    before = repository.read()
    repository.write("infra/components/labels.py", "x = 2\n")
    assert "infra/components/labels.py" in str(repository.refused().where)
    after = repository.read(dirty=True)
    assert (after.tree, after.version, after.dirty) == (before.tree, before.version, True)


def test_the_program_makes_no_other_tree_with_whatever_is_in_it(repository: Repository) -> None:
    """Links, executables, folders and names that are not UTF-8: as if the program had never been there."""
    (repository.folder / "link").symlink_to("server.py")
    (repository.folder / "server.py").chmod(0o755)
    Path(os.fsdecode(os.fsencode(repository.folder) + b"/\xff")).write_text("")
    for name in UNUSUAL:
        repository.write(name, "x")
    repository.write("infra.py", "")
    repository.commit()
    expected = repository.read().tree
    _eject(repository)
    repository.commit()
    assert repository.read().tree == expected


def test_a_folder_of_that_name_without_the_stamp_is_built_like_any_other(repository: Repository) -> None:
    repository.write("infra/main.tf", "")
    repository.commit()
    before = repository.read()
    assert "infra/main.tf" in before.files
    repository.write("infra/main.tf", "x")
    repository.commit()
    assert repository.read().tree != before.tree


def test_settings_that_git_was_told_not_to_look_at_are_a_change(repository: Repository) -> None:
    """They are read in the folder, not in the commit."""
    repository.write("pym-config.yaml", "name: shop\n")
    repository.commit()
    repository.git("update-index", "--assume-unchanged", "pym-config.yaml")
    assert not repository.read().dirty
    repository.write("pym-config.yaml", "name: other\n")
    error = repository.refused()
    assert error.what == "1 tracked file differs from the last commit, though git was told not to look at it"
    assert error.where == "pym-config.yaml"
    assert str(error.fix).startswith("git update-index --no-assume-unchanged")
    assert repository.read(dirty=True).dirty


def test_settings_with_the_line_ends_of_another_system_are_none(repository: Repository) -> None:
    repository.write("pym-config.yaml", "name: shop\n")
    repository.commit()
    clone = repository.clone("clone", "-c", "core.autocrlf=true")
    assert b"\r\n" in (clone.folder / "pym-config.yaml").read_bytes()
    assert not clone.read().dirty


@pytest.mark.parametrize("folder", ["test", "tests", "testaccept"])
def test_a_sparse_checkout_without_the_tests_is_refused(repository: Repository, folder: str) -> None:
    repository.write(f"{folder}/test_it.py", "")
    repository.commit()
    clone = repository.clone("clone")
    clone.git("sparse-checkout", "set", "app")
    error = clone.refused()
    assert (error.what, error.where) == (
        "a sparse checkout leaves out tests of the service",
        f"{folder}/test_it.py",
    )
    clone.git(*str(error.fix).split()[3:])
    assert clone.read().tree == repository.read().tree


def test_the_dockerfile_is_read_as_it_is_built(repository: Repository) -> None:
    repository.write("docker/Dockerfile", "FROM committed\n")
    repository.write("Dockerfile.extra", "RUN committed\n")
    (repository.folder / "Dockerfile").symlink_to("docker/Dockerfile")
    repository.commit()
    for name in ("docker/Dockerfile", "Dockerfile.extra"):
        repository.git("update-index", "--assume-unchanged", name)
        repository.write(name, "edited\n")
    assert repository.read().texts == {
        "Dockerfile": "FROM committed\n",
        "Dockerfile.extra": "RUN committed\n",
    }
    assert repository.read(dirty=True).texts == {"Dockerfile": "edited\n", "Dockerfile.extra": "edited\n"}


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "Dockerfile", "nowhere", "app"])
def test_a_dockerfile_that_leads_out_of_the_repository_has_no_text(
    repository: Repository, target: str
) -> None:
    (repository.folder / "Dockerfile").symlink_to(target)
    repository.commit()
    assert repository.read().texts == {}


def test_a_commit_of_a_far_year_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@999999999999 +0000")
    repository.commit()
    assert repository.refused().what == "the date of the last commit is out of range"


def test_a_repository_that_hashes_with_sha256_is_built_too(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    long = Repository(folder, new=False)
    long.git("init", "-q", "--object-format=sha256")
    long.write("server.py", "app = 1\n")
    long.write(".gitattributes", "server.py text eol=lf\nother export-ignore\n")
    assert len(long.commit()) == 64
    assert (long.export() / "server.py").read_text() == "app = 1\n"
