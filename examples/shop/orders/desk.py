"""What happens to an order: it is placed here, packed by a worker, and may be cancelled."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from redis import RedisError

from orders.models import Order, Product

MOST = 10
"""Pieces in one order."""
BEST_SELLERS_FOR = 30
"""Seconds for which the best sellers stay as they were counted."""


class CannotOrder(ValueError):
    """The order cannot be placed; its text says why."""


def place(product_id, count):
    """Place an order, and ask a worker to pack it once the database has it.

    If Redis does not answer, the order waits until `resend` asks again.
    """
    if not 1 <= count <= MOST:
        raise CannotOrder(f"order 1 to {MOST} pieces")
    product = Product.objects.filter(id=product_id).first()
    if product is None:
        raise CannotOrder("there is no such product")
    with transaction.atomic():
        order = Order.objects.create(product=product, count=count)

        def ask():
            from orders.tasks import pack

            pack.delay(str(order.id))

        transaction.on_commit(ask, robust=True)
    return order


@transaction.atomic
def pack(order_id):
    """Take an order's pieces from the stock. One that was handled already, or cancelled, stays as it is."""
    order = _locked(order_id)
    if order.state != Order.State.PLACED:
        return order
    product = Product.objects.select_for_update().get(id=order.product_id)
    if product.stock < order.count:
        order.state = Order.State.SOLD_OUT
    else:
        product.stock -= order.count
        product.save(update_fields=["stock"])
        order.state = Order.State.PACKED
    order.packed_by = settings.VERSION
    order.save(update_fields=["state", "packed_by"])
    return order


@transaction.atomic
def cancel(order_id):
    """Cancel an order, and put its pieces back."""
    order = _locked(order_id)
    if order.state == Order.State.PACKED:
        product = Product.objects.select_for_update().get(id=order.product_id)
        product.stock += order.count
        product.save(update_fields=["stock"])
    order.state = Order.State.CANCELLED
    order.save(update_fields=["state"])
    return order


def forgotten(seconds):
    """The orders that nobody has packed for so long, oldest first."""
    before = timezone.now() - timedelta(seconds=seconds)
    return Order.objects.filter(state=Order.State.PLACED, placed_at__lte=before).order_by("placed_at")


def best_sellers():
    """The names of the three products of which most pieces were packed, as they were counted lately."""
    try:
        return cache.get_or_set("best-sellers", count_best_sellers, BEST_SELLERS_FOR)
    except RedisError:
        return count_best_sellers()


def count_best_sellers():
    """Count them now."""
    packed = Order.objects.filter(state=Order.State.PACKED).values("product__name")
    counted = packed.annotate(pieces=Sum("count")).order_by("-pieces", "product__name")
    return [one["product__name"] for one in counted[:3]]


def _locked(order_id):
    return Order.objects.select_for_update().select_related("product").get(id=order_id)
