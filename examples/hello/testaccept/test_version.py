"""The same, with curtainup's fixtures: nothing to look up, and time-outs and retries are set."""


def test_the_version_is_the_one_under_test(http, expected_version):
    assert http.get("/version").json()["version"] == expected_version
