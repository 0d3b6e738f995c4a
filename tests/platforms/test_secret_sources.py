"""Where secrets come from: real commands, AWS as moto plays it, and a server in Google's place."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from curtainup.config.secret_sources import SecretSource
from curtainup.errors import MissingSecretsError
from curtainup.platforms import secret_sources
from curtainup.platforms.google import api
from curtainup.platforms.secret_sources import Place, fetched
from tests.accounts import google_account
from tests.accounts.google_account import Project
from tests.accounts.servers import Answer

REGION = "eu-west-1"
GOOGLE = "projects/my-project/secrets/db"


def command(*words: str) -> SecretSource:
    return SecretSource(command=words)


def python(text: str) -> SecretSource:
    return command(sys.executable, "-c", text)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, {**os.environ, "MINE": "yes"}, REGION)


def why(sources: dict[str, SecretSource], place: Place) -> str:
    with pytest.raises(MissingSecretsError) as caught:
        fetched(sources, place)
    return caught.value.detail or ""


def test_a_command_s_output_is_the_value_without_its_line_end(place: Place) -> None:
    (place.folder / "file").write_text("two\nlines ünïcode ✓\n")
    found = fetched({"A": command("cat", "file"), "B": python("import os; print(os.environ['MINE'])")}, place)
    assert found == {"A": "two\nlines ünïcode ✓", "B": "yes"}


def test_what_several_names_share_is_asked_once(place: Place) -> None:
    one = python("open('asked', 'a').write('x'); print('value')")
    assert fetched({"A": one, "B": one}, place) == {"A": "value", "B": "value"}
    assert (place.folder / "asked").read_text() == "x"


def test_all_are_asked_at_the_same_time(place: Place) -> None:
    """Each waits for the other, so one after the other would never end."""
    meet = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "print('met')"
    )
    one, other = (command(sys.executable, "-c", meet, *pair) for pair in (("a", "b"), ("b", "a")))
    assert fetched({"A": one, "B": other}, place) == {"A": "met", "B": "met"}


def test_every_secret_without_a_value_is_named_with_the_reason(place: Place) -> None:
    sources = {
        "FAILS": python("import sys; sys.exit('session expired')"),
        "MISSING": command("curtainup-has-no-such-program"),
        "EMPTY": command("true"),
        "BYTES": python("import sys; sys.stdout.buffer.write(bytes([255]))"),
        "GOOD": command("echo", "value"),
    }
    with pytest.raises(MissingSecretsError) as caught:
        fetched(sources, place)
    error = caught.value
    assert error.what == "Secrets have no value: FAILS, MISSING, EMPTY, BYTES."
    assert "export FAILS=… MISSING=…" in (error.fix or "")
    assert (error.detail or "").splitlines() == [
        f"FAILS: {sys.executable} ended with 1: session expired",
        "MISSING: curtainup-has-no-such-program does not start: No such file or directory",
        "EMPTY: it is empty",
        f"BYTES: {sys.executable} printed no UTF-8 text",
    ]


def test_a_command_cannot_ask_anybody(place: Place) -> None:
    asks = "import sys\ntry: open('/dev/tty')\nexcept OSError: print(repr(sys.stdin.read()))"
    assert fetched({"A": python(asks)}, place) == {"A": "''"}


def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_sources, "SECONDS", 1.0)
    hangs = command("sh", "-c", "sleep 1000 & echo $! >child; wait")
    assert "gave no answer within 1 s" in why({"A": hangs}, place)
    child = int((place.folder / "child").read_text())
    deadline = time.monotonic() + 30
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=REGION)


def test_a_secret_of_aws_by_its_name_and_its_arn(aws: Any, place: Place) -> None:
    arn = aws.create_secret(Name="shop/db", SecretString="hunter2")["ARN"]
    sources = {"A": SecretSource(aws="shop/db"), "B": SecretSource(aws=arn)}
    assert fetched(sources, place) == {"A": "hunter2", "B": "hunter2"}


def test_what_aws_has_not_is_told_in_its_words(aws: Any, place: Place) -> None:
    aws.create_secret(Name="shop/key", SecretBinary=b"\xff")
    said = why({"A": SecretSource(aws="shop/none"), "B": SecretSource(aws="shop/key")}, place)
    assert "A: AWS refused a call: ResourceNotFoundException" in said
    assert "B: AWS keeps bytes under this name, and no text" in said


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    file, project = tmp_path / "key.json", Project()
    with google_account.account(file, project) as endpoints:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        monkeypatch.setattr(api, "Endpoints", partial(api.Endpoints, secrets=endpoints.projects))
        yield project


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (GOOGLE, f"/v1/{GOOGLE}/versions/latest:access"),
        (f"{GOOGLE}/versions/7", f"/v1/{GOOGLE}/versions/7:access"),
    ],
)
def test_a_secret_of_google_in_its_latest_version_or_another(
    google: Project, place: Place, name: str, path: str
) -> None:
    value = base64.b64encode("hünter2".encode()).decode()
    google.refusals[path] = Answer.of({"name": name, "payload": {"data": value}})
    assert fetched({"A": SecretSource(gcp=name)}, place) == {"A": "hünter2"}
    assert google.asked[-1].path == path


def test_what_google_refuses_is_told_in_its_words(google: Project, place: Place) -> None:
    google.refusals[":access"] = google_account.DENIED
    assert why({"A": SecretSource(gcp=GOOGLE)}, place) == (
        "A: Google refused: The caller does not have permission"
    )
