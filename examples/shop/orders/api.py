"""The same in JSON, and what curtainup asks."""

import json

from django.conf import settings
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from orders import desk
from orders.models import Order, Product


@require_GET
def health(_):
    """Answer without asking anybody: a release is not ill because its database is."""
    return JsonResponse({"status": "ok"})


@require_GET
def version(_):
    return JsonResponse({"name": "shop", "version": settings.VERSION})


@require_GET
def products(_):
    found = Product.objects.order_by("name").values("id", "name", "price", "stock")
    return JsonResponse({"products": list(found)})


@csrf_exempt
@require_POST
def place(request):
    """Place the order `{"product": ID, "count": PIECES}`."""
    try:
        wanted = json.loads(request.body)
        order = desk.place(int(wanted["product"]), int(wanted["count"]))
    except (ValueError, TypeError, KeyError) as error:
        return JsonResponse({"error": f"this is no order: {error}"}, status=400)
    return JsonResponse(_told(order), status=201)


@require_GET
def show(_, order_id):
    return JsonResponse(_told(get_object_or_404(Order.objects.select_related("product"), id=order_id)))


@csrf_exempt
@require_POST
def cancel(_, order_id):
    get_object_or_404(Order, id=order_id)
    return JsonResponse(_told(desk.cancel(order_id)))


def _told(order):
    return {
        "id": str(order.id),
        "product": order.product.name,
        "count": order.count,
        "state": order.state,
        "packed_by": order.packed_by,
    }
