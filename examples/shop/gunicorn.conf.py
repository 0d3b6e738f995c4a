"""How gunicorn serves the shop. It listens on 0.0.0.0:$PORT by itself."""

import os

workers = 2
threads = 4
worker_tmp_dir = "/dev/shm"
accesslog = "-"


def on_starting(server):
    """Make the database of a try-out, which is in this container alone and has no task that would make it."""
    if os.environ.get("DJANGO_SETTINGS_MODULE") == "shop.try_out":
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", "--noinput")
        connections.close_all()
