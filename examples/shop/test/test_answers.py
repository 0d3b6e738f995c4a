"""Unit tests of pages and of the JSON, without a server."""

import json
import uuid

import pytest


@pytest.fixture(autouse=True)
def packed_at_once(db, monkeypatch):
    """Run what waits for the end of a test's own transaction, which never comes."""
    from django.db import transaction

    monkeypatch.setattr(transaction, "on_commit", lambda work, **_: work())


def test_a_person_orders_and_sees_that_it_is_packed(client, poster):
    assert "Poster" in client.get("/").content.decode()
    answer = client.post("/orders", {"product": poster.id, "count": "2"}, follow=True)
    assert "Packed" in answer.content.decode()


def test_a_program_orders_the_same(client, poster):
    wanted = json.dumps({"product": poster.id, "count": 2})
    answer = client.post("/api/orders", wanted, content_type="application/json")
    assert answer.status_code == 201
    order = client.get(f"/api/orders/{answer.json()['id']}").json()
    assert (order["product"], order["count"], order["state"]) == ("Poster", 2, "packed")
    assert client.post(f"/api/orders/{order['id']}/cancel").json()["state"] == "cancelled"


@pytest.mark.parametrize("wrong", ["", "[]", "{}", '{"product": 1}', '{"product": 1, "count": 0}', "null"])
def test_what_is_no_order_is_the_clients_error(client, wrong):
    assert client.post("/api/orders", wrong, content_type="application/json").status_code == 400


def test_a_wrong_form_is_the_clients_error(client):
    assert client.post("/orders", {"product": "many"}).status_code == 400


def test_nobody_finds_an_order_that_is_not_there(client):
    assert client.get(f"/orders/{uuid.uuid4()}").status_code == 404
    assert client.post(f"/api/orders/{uuid.uuid4()}/cancel").status_code == 404
