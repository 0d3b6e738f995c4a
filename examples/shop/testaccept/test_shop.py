"""Acceptance tests: what only works if database, queue, worker and the image's own files are there.

Each order of theirs is cancelled, as they run on live too.
"""

import os
import re
import time

import pytest

HAS_TRAFFIC = os.environ.get("CURTAINUP_EXPECT_RELEASE_HEADER") == "1"
"""Only a release with traffic has workers, and only the way to it leads through the proxy."""
PATIENCE = 30
"""Seconds in which a worker that has just been started packs an order."""


@pytest.fixture
def order(http):
    product = next(one for one in http.get("/api/products").json()["products"] if one["name"] == "Programme")
    answer = http.post("/api/orders", json={"product": product["id"], "count": 1})
    assert answer.status_code == 201
    yield answer.json()
    http.post(f"/api/orders/{answer.json()['id']}/cancel")


def test_an_order_is_taken(http, order):
    assert http.get(f"/api/orders/{order['id']}").json()["product"] == "Programme"
    assert "Programme" in http.get(f"/orders/{order['id']}").text


@pytest.mark.skipif(not HAS_TRAFFIC, reason="no worker runs beside this release yet")
def test_a_worker_of_this_release_packs_it(http, order, expected_version):
    deadline = time.monotonic() + PATIENCE
    while order["state"] == "placed":
        assert time.monotonic() < deadline, "no worker has packed it"
        time.sleep(0.2)
        order = http.get(f"/api/orders/{order['id']}").json()
    assert (order["state"], order["packed_by"]) == ("packed", expected_version)


def test_the_page_has_its_style(http):
    [address] = re.findall(r'href="(/static/orders/shop\.[0-9a-f]+\.css)"', http.get("/").text)
    style = http.get(address)
    assert style.status_code == 200
    assert "immutable" in style.headers["Cache-Control"]


def test_the_version_is_the_one_under_test(http, expected_version):
    assert http.get("/version").json()["version"] == expected_version
