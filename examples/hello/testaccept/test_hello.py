"""Acceptance tests that find the service by PYM_SERVER_HOST and PYM_SERVER_PORT, as they always did."""

import hashlib
import os

import requests

HOST = os.environ["PYM_SERVER_HOST"]
PORT = os.environ["PYM_SERVER_PORT"]
URL = f"{'https' if PORT == '443' else 'http'}://{HOST}:{PORT}"


def test_it_greets():
    answer = requests.get(f"{URL}/", timeout=5)

    assert answer.status_code == 200
    assert answer.json()["greeting"] == "Hello!"


def test_it_knows_its_environment():
    assert requests.get(f"{URL}/", timeout=5).json()["environment"] == os.environ["PYM_ENV"]


def test_the_secret_arrived_as_it_left():
    secret = os.environb[b"HELLO_SECRET"]

    answer = requests.get(f"{URL}/secret-check", timeout=5)

    assert answer.json()["sha256"] == hashlib.sha256(secret).hexdigest()
