"""Which view answers where."""

from django.urls import path
from orders import api, pages

urlpatterns = [
    path("", pages.shelves),
    path("orders", pages.place),
    path("orders/<uuid:order_id>", pages.show),
    path("api/products", api.products),
    path("api/orders", api.place),
    path("api/orders/<uuid:order_id>", api.show),
    path("api/orders/<uuid:order_id>/cancel", api.cancel),
    path("health", api.health),
    path("version", api.version),
]
