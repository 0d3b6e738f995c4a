from __future__ import annotations

import pytest
from curtainup_acceptance.target import read_target


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"CURTAINUP_URL": "https://shop/", "PYM_SERVER_HOST": "other"}, "https://shop"),
        ({"PYM_SERVER_HOST": "shop", "PYM_SERVER_PORT": "443"}, "https://shop"),
        ({"PYM_SERVER_HOST": "shop", "PYM_SERVER_PORT": "80"}, "http://shop"),
        ({"PYM_SERVER_HOST": "127.0.0.1", "PYM_SERVER_PORT": "8001"}, "http://127.0.0.1:8001"),
        ({"PYM_SERVER_HOST": "::1", "PYM_SERVER_PORT": "8001"}, "http://[::1]:8001"),
        ({"PYM_SERVER_HOST": "shop"}, "http://shop"),
    ],
)
def test_the_url_is_ours_or_the_seeds_pair(environ: dict[str, str], url: str) -> None:
    assert read_target(environ).url == url


def test_without_a_url_there_is_nothing_to_test() -> None:
    with pytest.raises(LookupError, match="PYM_SERVER_HOST"):
        read_target({})


def test_what_is_not_said_is_not_known() -> None:
    target = read_target({"PYM_SERVER_HOST": "shop", "PYM_ENV": "dev"})

    assert (target.environment, target.version, target.release) == ("dev", None, None)
    assert (target.health_path, target.version_path) == ("/ping", "/version")
    assert not target.expect_release_header
