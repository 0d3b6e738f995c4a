from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curtainup.commands.doctor import machine
from curtainup.errors import SetupError, StateError
from curtainup.model.checks import Check, Found, Piece


def _silent(_: str) -> None:
    pass


def _named(name: str) -> Check:
    return next(check for check in machine.checks() if check.name == name)


@pytest.mark.docker
def test_a_machine_that_was_set_up_is_fine_and_mending_it_changes_nothing() -> None:
    """`make test` sets this machine up first."""
    checks = machine.run(fix=True, report=pytest.fail)
    assert [check for check in checks if not check.ok] == []
    again = machine.checks()
    told = [(check.name, check.ok, check.version) for check in checks]
    assert told == [(check.name, check.ok, check.version) for check in again], "the free space may differ"


def test_pieces_that_others_need_come_first() -> None:
    names = [piece.name for piece in machine.PIECES]
    assert names.index("Pulumi engine") < names.index("Docker provider")
    assert names.index("Docker engine") < names.index("base image")


def test_every_failure_has_words_and_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    failed = [check for check in machine.checks() if not check.ok]
    assert {"git", "Pulumi engine", "Python language host", "Docker provider", "Docker engine"} <= {
        check.name for check in failed
    }
    assert all(check.detail and check.fix for check in failed)


@pytest.mark.parametrize("fix", [True, False])
def test_one_piece_that_cannot_be_mended_does_not_keep_the_next_from_it(fix: bool) -> None:
    mended: list[str] = []

    def broken() -> Found:
        raise SetupError("it is broken", where="here", fix="mend it", detail="said the tool")

    def missing() -> Found:
        if not mended:
            raise SetupError("it is missing", fix="bring it")
        return Found("1", "brought")

    def fail(_: object) -> None:
        raise SetupError("mending failed", fix="do it yourself")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            machine,
            "PIECES",
            (Piece("a", broken), Piece("b", broken, fail), Piece("c", missing, lambda _: mended.append("c"))),
        )
        checks = machine.run(fix, _silent)
    assert checks[0] == Check("a", False, None, "it is broken\nhere\nsaid the tool", "mend it")
    assert checks[1].detail == ("mending failed" if fix else "it is broken\nhere\nsaid the tool")
    assert checks[2].ok is fix
    assert bool(mended) is fix


def test_little_space_is_advice_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_200_000_000))
    check = _named("disk space")
    assert check.ok
    assert check.detail is not None
    assert check.detail.startswith("1.2 GB free in ")
    assert check.fix is not None
    assert check.fix.startswith("docker system prune")


def test_looking_makes_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name in ("PULUMI_BACKEND_URL", "CI"):
        monkeypatch.delenv(name, raising=False)
    check = _named("state")
    assert check.ok
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_missing_is_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StateError("no Pulumi backend is configured", fix="set PULUMI_BACKEND_URL")

    monkeypatch.setattr("curtainup.engine.workspace.find_backend", refuse)
    monkeypatch.setenv("CI", "true")
    check = _named("state")
    assert (check.ok, check.fix) == (True, "set PULUMI_BACKEND_URL")
    assert check.detail == "no Pulumi backend is configured: deploy refuses"


def test_a_configured_backend_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "test")
    assert _named("state").detail == f"file://{tmp_path}"


def test_git_is_installed_by_root_on_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package manager is a script that brings git."""
    for name, body in (
        ("apt-cache", "exit 0"),
        (
            "apt-get",
            f"printf '#!/bin/sh\\necho git version 9.9\\n' > {tmp_path}/git; /bin/chmod +x {tmp_path}/git",
        ),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    git = next(piece for piece in machine.PIECES if piece.name == "git")
    monkeypatch.setattr(machine, "PIECES", (git,))
    told: list[str] = []
    assert machine.run(fix=True, report=told.append) == [Check("git", True, "9.9", f"{tmp_path}/git", None)]
    assert told == ["installing git"]


def test_checks_are_lines_with_what_to_do_below() -> None:
    found = [
        Check("Python", True, "3.11.7", "/usr/bin/python3"),
        Check("base image", False, None, "it is missing\nsaid the engine", "curtainup doctor --fix"),
        Check("disk space", True, None, "1.2 GB free", "docker system prune"),
    ]
    assert machine.render(found).splitlines() == [
        "ok  Python      3.11.7  /usr/bin/python3",
        "no  base image          it is missing",
        "      said the engine",
        "      fix: curtainup doctor --fix",
        "ok  disk space          1.2 GB free",
        "      advice: docker system prune",
    ]
