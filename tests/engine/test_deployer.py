from __future__ import annotations

import socket

import pytest

from curtainup.engine import deployer


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ann"}, "ann, GitHub Actions"),
        ({"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ann"}, "ann, GitLab CI"),
        ({"BITBUCKET_BUILD_NUMBER": "7"}, "Bitbucket Pipelines"),
        ({"GITHUB_ACTIONS": "", "GITHUB_ACTOR": "ann"}, None),
    ],
)
def test_a_ci_job_says_who_started_it(environ: dict[str, str], name: str | None) -> None:
    assert deployer.name(environ) == (name or deployer.name({}))


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("ann@laptop", "ann"),
        ("Ann@desktop", "ann"),
        ("ann@corp@laptop", "ann@corp"),
        ("ann, GitHub Actions", "ann"),
        ("ann, GitLab CI", "ann"),
        ("Bitbucket Pipelines", "bitbucket pipelines"),
        ("smith, john@laptop", "smith, john"),
    ],
)
def test_a_person_is_the_same_on_every_machine(name: str, person: str) -> None:
    assert deployer.person(name) == person


def test_anywhere_else_it_is_the_user_and_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert deployer.name({}) == f"ann@{socket.gethostname()}"


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 12345678)
    assert deployer.name({}) == f"12345678@{socket.gethostname()}"
