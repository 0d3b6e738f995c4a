"""Unit tests of what happens to an order, with SQLite in memory."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from orders import desk
from orders.models import Order, Product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_packs(monkeypatch):
    """No worker takes the orders of these tests."""
    monkeypatch.setattr("orders.tasks.pack.delay", asked.append)
    asked.clear()


asked = []


def left():
    return Product.objects.get(name="Poster").stock


def test_a_worker_is_asked_once_the_order_is_in_the_database(poster, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        order = desk.place(poster.id, 2)
        assert asked == []
    assert asked == [str(order.id)]


@pytest.mark.django_db(transaction=True)
def test_an_order_stays_where_nobody_can_be_asked(poster, monkeypatch):
    def away(_):
        raise ConnectionError("Redis is away")

    monkeypatch.setattr("orders.tasks.pack.delay", away)
    order = desk.place(poster.id, 2)
    assert Order.objects.get(id=order.id).state == Order.State.PLACED


def test_an_order_is_packed_once(poster, settings):
    settings.VERSION = "1"
    order = desk.place(poster.id, 2)
    before = left()
    for version in ("2", "3"):
        settings.VERSION = version
        desk.pack(order.id)
    order.refresh_from_db()
    assert (order.state, order.packed_by) == (Order.State.PACKED, "2")
    assert left() == before - 2


def test_nothing_is_sold_that_is_not_there(poster):
    Product.objects.filter(id=poster.id).update(stock=1)
    order = desk.place(poster.id, 2)
    assert desk.pack(order.id).state == Order.State.SOLD_OUT
    assert left() == 1


@pytest.mark.parametrize("packed", [True, False])
def test_a_cancelled_order_gives_its_pieces_back_and_is_not_packed(poster, packed):
    before, order = left(), desk.place(poster.id, 3)
    if packed:
        desk.pack(order.id)
    desk.cancel(order.id)
    desk.cancel(order.id)
    assert desk.pack(order.id).state == Order.State.CANCELLED
    assert left() == before


@pytest.mark.parametrize("count", [0, 11, -1])
def test_orders_are_bounded(poster, count):
    with pytest.raises(desk.CannotOrder, match="1 to 10"):
        desk.place(poster.id, count)


def test_an_order_that_was_forgotten_is_asked_for_again(poster, capsys):
    forgotten, packed, new = (desk.place(poster.id, 1) for _ in range(3))
    for one in (forgotten, packed):
        Order.objects.filter(id=one.id).update(placed_at=one.placed_at - timedelta(minutes=2))
    desk.pack(packed.id)
    asked.clear()
    call_command("resend")
    assert asked == [str(forgotten.id)]
    assert capsys.readouterr().out == "orders asked for again: 1\n"
    assert new.state == Order.State.PLACED


def test_the_best_sellers_are_those_that_were_packed(poster):
    glasses = Product.objects.get(name="Opera glasses")
    for product, count in ((poster, 2), (glasses, 1)):
        desk.pack(desk.place(product.id, count).id)
    desk.place(glasses.id, 10)
    assert desk.count_best_sellers() == ["Poster", "Opera glasses"]
