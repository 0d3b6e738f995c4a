"""`python manage.py resend`: ask again for orders that no worker has packed, as when Redis was away."""

from django.core.management.base import BaseCommand

from orders import desk
from orders.tasks import pack


class Command(BaseCommand):
    """Ask the worker again for each order that waits for too long."""

    help = "Ask again for orders that no worker has packed"

    def add_arguments(self, parser):
        parser.add_argument("--older-than", type=int, default=60, metavar="SECONDS")

    def handle(self, *, older_than, **_):
        orders = list(desk.forgotten(older_than))
        for order in orders:
            pack.delay(str(order.id))
        self.stdout.write(f"orders asked for again: {len(orders)}")
