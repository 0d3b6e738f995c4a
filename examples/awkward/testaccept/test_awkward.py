"""Acceptance tests of the service: what it says of itself, and streams that arrive whole and in time."""

import os

import requests


def test_it_knows_its_environment(http):
    assert http.get("/about").json()["pym_env"] == os.environ["PYM_ENV"]


def test_it_is_the_version_under_test(http, expected_version):
    assert http.get("/about").json()["version"] == expected_version


def test_a_stream_arrives_whole(base_url):
    with requests.get(f"{base_url}/stream?lines=4&pause=0.1", stream=True, timeout=5) as answer:
        assert list(answer.iter_lines()) == [b"1", b"2", b"3", b"end"]


def test_a_stream_is_not_held_back(base_url):
    with requests.get(f"{base_url}/stream?lines=2&pause=1", stream=True, timeout=5) as answer:
        first = next(answer.iter_content(chunk_size=16))

    assert first == b"1\n", "the whole answer came at once: something on the way buffers it"


def test_a_wrong_request_is_the_clients_error(http):
    assert http.get("/stream?lines=many").status_code == 400
