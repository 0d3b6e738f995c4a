"""A service that serves only its public host, and only over HTTPS, goes live."""

from __future__ import annotations

import pytest
import requests

from tests.e2e.service import Service

HOST = "shop.example.com"
PARTICULAR = """\
app = Flask(__name__)


@app.before_request
def serve_only_the_public_host():
    if request.host == "localhost":
        return None  # the unit tests
    if request.host != "shop.example.com":
        return jsonify(error="DisallowedHost"), 400
    if request.headers.get("X-Forwarded-Proto") != "https":
        return redirect("https://shop.example.com" + request.path, 301)
"""


@pytest.fixture(scope="module")
def particular(service: Service) -> Service:
    service.edit("server.py", "app = Flask(__name__)\n", PARTICULAR)
    service.edit("server.py", "import Flask, jsonify", "import Flask, jsonify, redirect")
    return service


@pytest.mark.matrix(reason="test_it_goes_live_over_https shows a host of its own once")
def test_it_goes_live_under_its_public_address(particular: Service) -> None:
    particular.configure(live_url=f"https://{HOST}")

    particular.deploy()
    particular.greet("again")
    particular.deploy()

    assert requests.get(particular.url("live") + "/ping", timeout=60).status_code == 400
    answer = requests.get(
        particular.url("live") + "/ping", headers={"Host": HOST, "X-Forwarded-Proto": "https"}, timeout=60
    )
    assert answer.status_code == 200


@pytest.mark.matrix(
    reason="tests/gates/test_health.py shows once that an answer that will not change ends the wait"
)
@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"live_url": None}, ("HTTP 400", "Host: 127.0.0.1", "health_host")),
        ({"live_url": None, "health_host": HOST}, ("HTTP 301", f"https://{HOST}/ping", "X-Forwarded-Proto")),
    ],
)
def test_otherwise_it_is_said_what_is_missing(
    particular: Service, keys: dict[str, str | None], told: tuple[str, ...]
) -> None:
    particular.configure(**keys)

    done = particular.deploy("--until", "local", code=14)

    for word in told:
        assert word in done.err
