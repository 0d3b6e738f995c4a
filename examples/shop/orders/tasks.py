"""The worker's jobs."""

import logging

from celery import shared_task

from orders import desk

log = logging.getLogger(__name__)


@shared_task
def pack(order_id):
    """Pack an order; a second time changes nothing."""
    order = desk.pack(order_id)
    log.info("order %s: %s", order.id, order.state)
