"""Unit tests: the application alone, with no server and no container."""

import hashlib

import pytest
from server import app


@pytest.fixture
def client():
    return app.test_client()


def test_ping(client):
    assert client.get("/ping").get_json() == {"status": "ok"}


def test_version_comes_from_the_environment(client, monkeypatch):
    monkeypatch.setenv("VERSION", "200415-0819-953-b3548e")

    assert client.get("/version").get_json()["version"] == "200415-0819-953-b3548e"


def test_the_secret_is_proved_but_never_shown(client, monkeypatch):
    monkeypatch.setenv("HELLO_SECRET", "a=b\n'ü' $HOME")

    answer = client.get("/secret-check")

    assert answer.get_json() == {"sha256": hashlib.sha256("a=b\n'ü' $HOME".encode()).hexdigest()}


def test_a_missing_secret_is_said(client, monkeypatch):
    monkeypatch.delenv("HELLO_SECRET", raising=False)

    assert client.get("/secret-check").status_code == 503


@pytest.mark.parametrize("seconds", ["-1", "11", "nan", "inf"])
def test_waits_are_bounded(client, seconds):
    assert client.get(f"/slow?seconds={seconds}").status_code == 400
