import pytest


@pytest.fixture(autouse=True)
def plain_static_files(settings, tmp_path):
    """Unit tests run without `collectstatic`."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@pytest.fixture
def poster(db):
    from orders.models import Product

    return Product.objects.get(name="Poster")
