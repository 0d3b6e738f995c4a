"""The pages for people."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from orders import desk
from orders.models import Order, Product


@require_GET
def shelves(request):
    products = Product.objects.order_by("name")
    return render(request, "orders/shelves.html", {"products": products, "best": desk.best_sellers()})


@require_POST
def place(request):
    try:
        order = desk.place(int(request.POST.get("product", "")), int(request.POST.get("count", "")))
    except ValueError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    return redirect(show, order_id=order.id)


@require_GET
def show(request, order_id):
    order = get_object_or_404(Order.objects.select_related("product"), id=order_id)
    return render(request, "orders/order.html", {"order": order})
