"""The settings where there is neither PostgreSQL nor Redis: for unit tests, the image's build, and a look.

Jobs run at once, in the request that asks for them.
"""

from shop.settings import *  # noqa: F403

SECRET_KEY = "known to everybody"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/shop.sqlite3"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_TASK_ALWAYS_EAGER = True
