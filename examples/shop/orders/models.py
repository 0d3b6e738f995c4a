"""Products and orders."""

import uuid

from django.db import models


class Product(models.Model):
    """What the shop sells.

    Attributes:
        price: in cents.
        stock: how many are left.

    """

    name = models.CharField(max_length=80, unique=True)
    price = models.PositiveIntegerField()
    stock = models.PositiveIntegerField()

    def __str__(self):
        return self.name


class Order(models.Model):
    """An order. Its id is all that its customer needs to see it, so nobody can guess it.

    Attributes:
        packed_by: the version of the release whose worker has handled it; empty until then.

    """

    class State(models.TextChoices):
        PLACED = "placed"
        PACKED = "packed"
        SOLD_OUT = "sold out"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    count = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PLACED)
    placed_at = models.DateTimeField(auto_now_add=True)
    packed_by = models.CharField(max_length=80, blank=True)

    def __str__(self):
        return f"{self.count} x {self.product}, {self.state}"
