from django.db import migrations

PRODUCTS = (("Opera glasses", 4500, 40), ("Poster", 1200, 200), ("Programme", 500, 1000))


def add(apps, _):
    product = apps.get_model("orders", "Product")
    for name, price, stock in PRODUCTS:
        product.objects.create(name=name, price=price, stock=stock)


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
