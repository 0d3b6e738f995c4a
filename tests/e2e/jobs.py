"""A real queue: Redis in a container on the networks of a service, and Celery in the service's own image."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import docker
from docker.models.containers import Container

from shop_demo import images
from tests.e2e.service import PATIENCE, Service

REQUIREMENTS = "celery[redis]>=5.4,<6\n"
JOBS = '''\
"""Jobs that say when they begin and when they are done; one in fifty takes seconds."""

import os
import time

import redis
from celery import Celery

app = Celery("jobs", broker="redis://queue:6379/" + ("1" if os.environ["PYM_ENV"].endswith("-live") else "2"))
app.conf.task_default_queue = "jobs"
app.conf.broker_connection_retry_on_startup = True
marks = redis.Redis("queue")


@app.task(name="work")
def work(number):
    marks.hincrby("begun", number, 1)
    time.sleep(2 if number % 50 == 0 else 0.01)
    marks.hincrby("done", number, 1)
'''
WORKER = "celery -A jobs worker --concurrency 2 --loglevel info"
ASK = """\
import os, sys
os.environ["PYM_ENV"] = "x-live"
from jobs import work
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    work.delay(number)
"""


@dataclass
class Queue:
    """The queue of a service's live environment.

    Attributes:
        redis: its container.
        asked: how many jobs were asked for until now.

    """

    redis: Container
    asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self, name: str) -> dict[int, int]:
        """How often each job has begun, or is done."""
        done = self.redis.exec_run(["redis-cli", "--raw", "HGETALL", name])
        assert isinstance(done.output, bytes)
        words = done.output.decode().split()
        return {int(one): int(count) for one, count in zip(words[::2], words[1::2], strict=True)}

    def ask(self, service: Service, count: int) -> None:
        """Ask for further jobs, by the service's own code in its own container."""
        with self._lock:
            first, self.asked = self.asked, self.asked + count
        [live] = [one for one, share in service.traffic("live").items() if share == 100]
        container = service.host.client.containers.get(f"{service.name}-live-{live}")
        done = container.exec_run(["python", "-c", ASK, str(first), str(first + count)])
        assert done.exit_code == 0, done.output

    def wait_until_done(self) -> None:
        """Wait until all jobs that were asked for are done."""
        deadline = time.monotonic() + PATIENCE
        while len(self.counts("done")) < self.asked:
            assert time.monotonic() < deadline, f"{self.asked - len(self.counts('done'))} jobs are not done"
            time.sleep(0.2)

    @property
    def lost(self) -> set[int]:
        """The jobs that were never done."""
        return set(range(self.asked)) - set(self.counts("done"))

    @property
    def cut_off(self) -> set[int]:
        """The jobs that have begun more often than they were done."""
        done = self.counts("done")
        return {one for one, begun in self.counts("begun").items() if begun != done.get(one, 0)}


@contextmanager
def queue(service: Service) -> Iterator[Queue]:
    """Give a service that is not deployed yet a worker and a queue, and deploy it."""
    service.write("jobs.py", JOBS)
    service.write("requirements.txt", (service.folder / "requirements.txt").read_text() + REQUIREMENTS)
    service.configure(processes={"worker": {"command": WORKER, "count": 2}})
    client = docker.from_env()
    image = images.built(client, images.REDIS, print)
    command = ["redis-server", "--save", ""]
    redis = client.containers.run(image, command, detach=True, name=f"cu-queue-{uuid.uuid4().hex[:6]}")
    networks = [f"{service.name}-{environment}" for environment in ("live", "staging")]
    try:
        service.deploy()
        for name in networks:
            client.networks.get(name).connect(redis, aliases=["queue"])
        yield Queue(redis)
    finally:
        redis.remove(force=True, v=True)
        client.close()
