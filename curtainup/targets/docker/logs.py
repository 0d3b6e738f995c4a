"""Logs on a Docker host: what releases and their processes write, as the engine keeps it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.process import MARK
from curtainup.platforms.docker import clock, errors
from curtainup.platforms.docker.labels import PROCESS, RELEASE
from curtainup.session import Session
from curtainup.targets.log_lines import Asked, Line, Lines
from curtainup.targets.log_queue import come
from curtainup.util import chunks

if TYPE_CHECKING:
    from docker import APIClient
    from docker.types.daemon import CancellableStream

RECENT = 5000
"""Lines of a release that are remembered, so that none is shown twice."""


@dataclass(frozen=True, order=True)
class Writer:
    """A container.

    Attributes:
        name: its name.
        release: the id of its release.
        process: its process and number, such as `worker.1`; empty for the service itself.

    """

    name: str
    release: str
    process: str = ""


@dataclass(frozen=True)
class Written:
    """A line, its container, and the engine's own time stamp, which sorts as text and has nanoseconds."""

    stamp: str
    line: Line
    writer: Writer


@dataclass
class _Reader:
    """What has been read of one container: for one stream at a time, as it may start again."""

    last: str
    lock: Lock = field(default_factory=Lock)
    recent: deque[Written] = field(default_factory=lambda: deque(maxlen=RECENT))

    def note(self, one: Written) -> None:
        """Remember that a line was read."""
        self.last = max(self.last, one.stamp)
        self.recent.append(one)


@dataclass
class _Following:
    """What is known while logs are followed: the lines that have come, and what was read of whom."""

    floor: str
    began: str
    lines: Queue[Written | SetupError] = field(default_factory=Queue)
    readers: dict[Writer, _Reader] = field(default_factory=dict)
    streams: list[CancellableStream[Any]] = field(default_factory=list)
    is_over: bool = False

    def reader(self, writer: Writer) -> _Reader:
        """Return what has been read of a container."""
        return self.readers.setdefault(writer, _Reader(self.began))

    def add(self, stream: CancellableStream[Any]) -> None:
        """Take a stream that is closed in the end."""
        self.streams.append(stream)
        if self.is_over:
            self.close()

    def close(self) -> None:
        """Let go of all streams, and open no more; over SSH they end with the process."""
        from docker.errors import DockerException

        self.is_over = True
        for one in self.streams:
            with suppress(OSError, DockerException):
                one.close()


class DockerLogs:
    """The logs of an environment's containers."""

    outlives = False

    def __init__(self, session: Session, environment: Environment, _look: object = None) -> None:
        self._api: APIClient = session.accounts.docker.api
        self._stack = environment.stack

    def lines(self, asked: Asked) -> Lines:
        """Give the lines of all containers in the order in which they were written."""
        for one in self._kept(asked):
            yield one.line

    def follow(self, asked: Asked) -> Lines:
        """Give the lines; a container that starts meanwhile, or starts again, is followed too."""
        began = _stamp(self._now())
        following = _Following("" if asked.tail is None else began, began)
        try:
            yield from self._followed(asked, following)
        finally:
            following.close()

    def _followed(self, asked: Asked, following: _Following) -> Iterator[Line]:
        since = int(datetime.fromisoformat(following.began).timestamp())
        self._start(self._watch, following, asked, since)
        for number, one in enumerate(self._kept(asked)):
            if number == 0 and asked.tail is not None:
                following.floor = one.stamp
            following.reader(one.writer).note(one)
            yield one.line
        for writer in self._writers(asked):
            self._start(self._read_on, following, writer)
        for found in come(following.lines):
            yield found.line

    def _now(self) -> datetime:
        """Return the time by the engine's clock, which may be another machine's."""
        with _told_clearly():
            return clock.now(self._api)

    def _kept(self, asked: Asked) -> Iterator[Written]:
        if asked.tail == 0:
            return
        since = self._since(asked)
        streams = [self._written(one, since, asked.tail) for one in self._writers(asked)]
        merged = heapq.merge(*streams, key=lambda one: one.stamp)
        yield from merged if asked.tail is None else deque(merged, maxlen=asked.tail)

    def _since(self, asked: Asked) -> datetime | None:
        with _told_clearly():
            return asked.since and clock.there(self._api, asked.since)

    def _writers(self, asked: Asked) -> list[Writer]:
        """Return the containers that are wanted; raises SetupError when no release named has one."""
        name = f"^/{self._stack}{'[.]' if asked.process else '-r'}"
        with _told_clearly():
            found = self._api.containers(all=True, filters={"label": RELEASE, "name": name})
        there = [self._writer(str(one["Names"][0]).lstrip("/"), one["Labels"], asked) for one in found]
        wanted = [one for one in there if one is not None]
        if asked.releases is not None and not wanted:
            raise SetupError(
                f"the container of {', '.join(asked.releases)} is gone, and its log with it",
                where=f"container {self._stack}-{asked.releases[0]}",
                consequence="there is nothing to show",
                fix="curtainup logs without --release shows what is there",
            )
        return sorted(wanted)

    def _writer(self, name: str, labels: Mapping[str, str], asked: Asked) -> Writer | None:
        """Return a container of the environment, if its lines are wanted."""
        release, process = labels[RELEASE], labels.get(PROCESS, "")
        if process != asked.process or not asked.wants(release):
            return None
        if not process:
            return Writer(name, release) if name == f"{self._stack}-{release}" else None
        ours = name.startswith(f"{self._stack}{MARK}")
        number = name.removeprefix(f"{self._stack}{MARK}").removesuffix(f"-{release}")
        return Writer(name, release, number) if ours else None

    def _written(
        self,
        writer: Writer,
        since: datetime | None = None,
        tail: int | None = None,
        following: _Following | None = None,
    ) -> Iterator[Written]:
        """Give the lines of a container; when followed, until it stops."""
        from docker.errors import NotFound

        with _told_clearly():
            try:
                found = self._api.logs(
                    writer.name,
                    stream=True,
                    follow=following is not None,
                    timestamps=True,
                    since=since.timestamp() if since else None,
                    tail="all" if tail is None else tail,
                )
            except NotFound:
                return
            if following is not None:
                following.add(found)
            for stamp, text in chunks.whole(found):
                line = Line(datetime.fromisoformat(stamp), writer.release, text, writer.process)
                yield Written(stamp, line, writer)

    def _start(self, work: Any, *arguments: Any) -> None:
        Thread(target=work, args=arguments, name="logs", daemon=True).start()

    def _read_on(self, following: _Following, writer: Writer) -> None:
        """Put the lines that a container writes from now on into the queue, until it stops.

        The engine keeps lines that were written at once in any order: the last second is asked for again.
        """
        reader = following.reader(writer)
        with reader.lock:
            if following.is_over:
                return
            shown = reader.last
            since = datetime.fromisoformat(shown) - timedelta(seconds=1)
            try:
                for one in self._written(writer, since, following=following):
                    if one.stamp < following.floor or (one.stamp <= shown and one in reader.recent):
                        continue
                    reader.note(one)
                    following.lines.put(one)
            except SetupError as error:
                following.lines.put(error)

    def _watch(self, following: _Following, asked: Asked, since: int) -> None:
        """Read on in each container of the environment that starts."""
        filters = {"type": "container", "event": "start", "label": RELEASE}
        try:
            with _told_clearly():
                events = self._api.events(since=since, filters=filters, decode=True)
                following.add(events)
                for event in events:
                    labels = event["Actor"]["Attributes"]
                    writer = self._writer(labels["name"], labels, asked)
                    if writer is not None:
                        self._start(self._read_on, following, writer)
        except SetupError as error:
            following.lines.put(error)


def _stamp(moment: datetime) -> str:
    """Return a time as the engine writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _told_clearly() -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not give the log",
        where="docker logs",
        consequence="nothing more is shown",
    )
