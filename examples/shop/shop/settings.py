"""Django's settings, from the variables that curtainup gives to each release."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent.parent
VERSION = os.environ.get("VERSION", "unknown")
# Django and PostgreSQL refuse empty ones.
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "")
PASSWORD = os.environ.get("POSTGRES_PASSWORD", "")
REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# Only the proxy reaches a release, by an address that nobody knows beforehand. Name your domain's hosts here.
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")
# The proxy of curtainup sets this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = ["django.contrib.staticfiles", "orders"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("DATABASE_HOST", "localhost"),
        "NAME": os.environ.get("DATABASE_NAME", "shop"),
        "USER": os.environ.get("DATABASE_USER", "shop"),
        "PASSWORD": PASSWORD,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }
}
# Two releases share Redis while traffic moves; each reads only what it has written itself.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": VERSION,
    }
}

# Files have a hash in their names, so browsers may keep them for ever. A release serves its own image's.
STATIC_URL = "static/"
STATIC_ROOT = FOLDER / "staticfiles"
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

# A job counts as done only when it is, so Redis gives it to another worker if its own is killed.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
