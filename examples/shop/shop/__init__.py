"""The project: settings, addresses, and the Celery application."""

from shop.celery import app as celery

__all__ = ["celery"]
