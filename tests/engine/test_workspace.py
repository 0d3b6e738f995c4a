from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest
import yaml

from curtainup.engine import ejected, workspace
from curtainup.engine.workspace import Backend
from curtainup.errors import SourceError, StateError

PASSPHRASE = {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}
BACKEND = Backend("file:///state", None, {}, b"x")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / ".pulumi"))
    return tmp_path


def _logged_in(home: Path, url: str) -> None:
    (home / ".pulumi").mkdir()
    (home / ".pulumi" / "credentials.json").write_text(json.dumps({"current": url}))


def test_on_one_machine_without_any_it_is_files_of_the_user_with_a_passphrase_of_their_own(
    home: Path,
) -> None:
    found = workspace.find_backend(None, None, {})
    passphrase = home / "data" / "curtainup" / "passphrase"
    assert found.folder() == home / "data" / "curtainup" / "state"
    assert found.env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(passphrase)
    assert passphrase.stat().st_mode & 0o777 == 0o600
    assert (home / "data" / "curtainup" / "state").stat().st_mode & 0o077 == 0
    assert found.passphrase == passphrase.read_bytes().strip()
    assert len(found.passphrase or b"") >= 32
    assert workspace.find_backend(None, None, {}) == found, "and stays the same"


def test_the_passphrase_is_never_made_anew(home: Path) -> None:
    """The state could not be opened any more."""
    first = workspace.find_backend(None, None, {}).passphrase
    os.utime(home / "data" / "curtainup" / "passphrase", (0, 0))
    assert workspace.find_backend(None, None, {}).passphrase == first


def test_a_given_passphrase_goes_before_the_generated_one(home: Path) -> None:
    found = workspace.find_backend(None, None, PASSPHRASE)
    assert found.passphrase == b"correct horse"
    assert not (home / "data" / "curtainup" / "passphrase").exists()


def test_the_variable_goes_before_the_configuration_and_that_before_the_login(home: Path) -> None:
    _logged_in(home, "s3://login")
    urls = [
        workspace.find_backend(
            "s3://configured", None, {**PASSPHRASE, "PULUMI_BACKEND_URL": "s3://variable"}
        ),
        workspace.find_backend("s3://configured", None, PASSPHRASE),
        workspace.find_backend(None, None, PASSPHRASE),
    ]
    assert [found.url for found in urls] == ["s3://variable", "s3://configured", "s3://login"]
    assert [found.env["PULUMI_BACKEND_URL"] for found in urls] == [found.url for found in urls]


def test_an_unreadable_login_is_none(home: Path) -> None:
    _logged_in(home, "s3://login")
    (home / ".pulumi" / "credentials.json").write_text("{")
    assert workspace.find_backend(None, None, PASSPHRASE).folder()


def test_ci_without_a_backend_is_refused(home: Path) -> None:
    """The state would vanish with the runner."""
    with pytest.raises(StateError, match="CI job") as caught:
        workspace.find_backend(None, None, {"CI": "true"})
    assert "PULUMI_BACKEND_URL" in str(caught.value.fix)
    assert not (home / "data").exists()


def test_ci_with_a_backend_is_fine() -> None:
    assert workspace.find_backend("s3://team", None, {**PASSPHRASE, "CI": "true"}).url == "s3://team"


def test_a_bucket_without_a_passphrase_is_refused_before_anything_is_done() -> None:
    with pytest.raises(StateError, match="passphrase") as caught:
        workspace.find_backend("s3://team", None, {})
    assert "secrets_provider" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("url", "provider"), [("s3://team", "awskms://alias/x"), ("https://api.example.com", None)]
)
def test_who_has_keys_of_its_own_needs_no_passphrase(url: str, provider: str | None) -> None:
    found = workspace.find_backend(url, provider, {})
    assert found.passphrase is None
    assert found.secrets_provider == provider
    assert found.folder() is None


def test_a_passphrase_file_is_read(home: Path) -> None:
    (home / "file").write_text("correct horse\n")
    found = workspace.find_backend("s3://team", None, {"PULUMI_CONFIG_PASSPHRASE_FILE": "~/file"})
    assert found.passphrase == b"correct horse"


def test_a_passphrase_file_that_is_missing_is_told(home: Path) -> None:
    with pytest.raises(StateError, match="passphrase file") as caught:
        workspace.find_backend("s3://team", None, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "none")})
    assert str(home / "none") in str(caught.value.where)


@pytest.mark.parametrize(("left", "said"), [("", "empty"), ("\n", "empty"), ("c4t0ff\n", "cut off")])
def test_a_generated_passphrase_that_is_not_whole_seals_nothing(home: Path, left: str, said: str) -> None:
    """A full disk may have left it."""
    file = home / "data" / "curtainup" / "passphrase"
    file.parent.mkdir(parents=True)
    file.write_text(left)
    with pytest.raises(StateError, match=said) as caught:
        workspace.find_backend(None, None, {})
    assert caught.value.where == str(file)
    assert file.read_text() == left


def test_a_full_disk_leaves_no_passphrase(home: Path) -> None:
    file = home / "data" / "curtainup" / "passphrase"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, before[1]))
    try:
        with pytest.raises(StateError, match="cannot be read or written"):
            workspace.find_backend(None, None, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not file.exists()
    assert workspace.find_backend(None, None, {}).passphrase == file.read_bytes().strip()


@pytest.mark.parametrize("provider", [None, "default", "passphrase"])
@pytest.mark.parametrize("variable", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_an_empty_passphrase_seals_nothing(home: Path, provider: str | None, variable: str) -> None:
    (home / "file").touch()
    given = {variable: "" if variable == "PULUMI_CONFIG_PASSPHRASE" else str(home / "file")}
    with pytest.raises(StateError, match="is empty") as caught:
        workspace.find_backend("s3://team", provider, given)
    assert variable in str(caught.value.where)


def test_an_empty_passphrase_that_seals_nothing_is_none() -> None:
    given = {"PULUMI_CONFIG_PASSPHRASE": ""}
    assert workspace.find_backend("s3://team", "awskms://alias/x", given).passphrase is None
    assert workspace.find_backend("https://api.example.com", None, given).passphrase is None


def test_a_passphrase_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "file")
    with pytest.raises(StateError, match="passphrase file") as caught:
        workspace.find_backend("s3://team", None, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "file")})
    assert "not a regular file" in str(caught.value.detail)


@pytest.mark.parametrize(
    ("url", "folder"),
    [("file:///a/b", "/a/b"), ("file:///a/b?no_tmp_dir=true", "/a/b"), ("s3://a", None), (None, None)],
)
def test_the_folder_of_a_file_backend_is_known(url: str | None, folder: str | None) -> None:
    assert Backend(url, None, {}, None).folder() == (Path(folder) if folder else None)


def test_a_relative_file_backend_is_taken_from_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi runs in the project's folder, and would take it from there."""
    monkeypatch.chdir(home)
    found = workspace.find_backend("file://./state", None, PASSPHRASE)
    assert found.url == found.env["PULUMI_BACKEND_URL"] == f"file://{home}/state"


def test_a_home_folder_in_a_file_backend_is_the_user_s(home: Path) -> None:
    assert Backend("file://~/state", None, {}, None).folder() == home / "state"


def test_a_service_gets_a_project_that_points_at_the_program(home: Path) -> None:
    found = workspace.open_workspace(home, BACKEND, Path("/bin"))
    project = yaml.safe_load((home / ".curtainup" / "Pulumi.yaml").read_text())
    assert project["name"] == "curtainup"
    assert (Path(project["main"]) / "__main__.py").is_file()
    assert project["stackConfigDir"] == "stacks"
    assert project["plugins"] == {"providers": [{"name": "curtainup", "path": "/bin"}]}
    assert found.settings_file("shop-live") == home / ".curtainup" / "stacks" / "Pulumi.shop-live.yaml"
    assert (home / ".curtainup" / ".gitignore").read_text() == "*\n"


def test_the_project_follows_a_program_that_has_moved(home: Path) -> None:
    workspace.open_workspace(home, BACKEND, Path("/bin"))
    workspace.open_workspace(home, BACKEND, Path("/elsewhere/bin"))
    assert "/elsewhere/bin" in (home / ".curtainup" / "Pulumi.yaml").read_text()


def test_a_service_beside_the_program_uses_the_project_at_its_root(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "Pulumi.yaml").write_text("name: curtainup\n")
    (home / "examples" / "hello").mkdir(parents=True)
    monkeypatch.setattr(workspace, "program_dir", lambda: home)
    found = workspace.open_workspace(home / "examples" / "hello", BACKEND, Path("/bin"))
    assert found.project_dir == home
    assert found.settings_dir == home / "stacks"
    assert found.folder == home / "examples" / "hello" / ".curtainup"


def _own_program(home: Path) -> Path:
    folder = home / "infra"
    folder.mkdir()
    (folder / "__main__.py").touch()
    stamp = ejected.Stamp("0.1.0", ejected.contract(), ejected.digest({"__main__.py": b""}))
    (folder / ejected.STAMP).write_text(ejected.written(stamp))
    return folder


def test_a_program_that_the_service_owns_has_its_project_and_leaves_settings_where_they_were(
    home: Path,
) -> None:
    before = workspace.open_workspace(home, BACKEND, Path("/bin"))
    own = _own_program(home)
    found = workspace.open_workspace(home, BACKEND, Path("/bin"))
    assert (found.program_dir, found.project_dir, found.edition) == (own, own, "")
    assert (found.settings_dir, found.folder) == (before.settings_dir, before.folder)
    (own / "__main__.py").write_text("import stacks\n")
    assert workspace.open_workspace(home, BACKEND, Path("/bin")).edition
    assert yaml.safe_load((home / ".curtainup" / "Pulumi.yaml").read_text())["main"] == str(own)


def test_a_rehearsal_runs_the_service_s_own_program_in_a_project_apart(home: Path) -> None:
    own = _own_program(home)
    found = workspace.open_workspace(home, BACKEND, Path("/bin"), rehearsal="gcp-cloud-run")
    assert found.program_dir == own
    assert found.project_dir == found.folder == home / ".curtainup" / "rehearsal" / "gcp-cloud-run"


def test_an_example_beside_the_program_may_own_one_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "Pulumi.yaml").write_text("name: curtainup\n")
    service = home / "examples" / "hello"
    service.mkdir(parents=True)
    monkeypatch.setattr(workspace, "program_dir", lambda: home)
    own = _own_program(service)
    assert workspace.open_workspace(service, BACKEND, Path("/bin")).project_dir == own


def test_a_folder_whose_name_is_no_text_is_refused(home: Path) -> None:
    """Pulumi would say that a field contains invalid UTF-8."""
    folder = home / os.fsdecode(b"\xff")
    folder.mkdir()
    with pytest.raises(SourceError, match="not UTF-8") as caught:
        workspace.open_workspace(folder, Backend(None, None, {}, None), home)
    str(caught.value.where).encode()
    assert list(folder.iterdir()) == []
