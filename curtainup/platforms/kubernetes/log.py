"""What a container of a pod writes, as the kubelet keeps it: each line with its time stamp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes.cluster import READ, Cluster, Refused, may_pass
from curtainup.util.process import Lines

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds until a lost connection is made again, growing from the one to the other while that fails."""
HURRY = 3.0
"""Seconds in which a node has to answer that is asked for one byte of a log."""


@dataclass(frozen=True)
class Wrote:
    """A container.

    Attributes:
        namespace: of its pod.
        pod: the pod's name.
        container: its own name.

    """

    namespace: str
    pod: str
    container: str

    @property
    def path(self) -> str:
        """The path of its log in the API."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/log"


@dataclass(frozen=True)
class Stamped:
    """A line, when it was written, and the kubelet's own time stamp, which has nanoseconds."""

    stamp: str
    at: datetime
    text: str


def is_reached(cluster: Cluster, wrote: Wrote) -> bool:
    """Return whether the node of a container answers: the API server asks it for each log."""
    try:
        with cluster.stream(
            wrote.path, {"container": wrote.container, "limitBytes": "1"}, patience=HURRY
        ) as answer:
            answer.read()
    except OSError:
        return False
    except (Refused, SetupError) as error:
        return not may_pass(error)
    return True


def lines(
    cluster: Cluster,
    wrote: Wrote,
    *,
    since: datetime | None = None,
    tail: int | None = None,
    follow: bool = False,
    previous: bool = False,
) -> Iterator[Stamped]:
    """Give lines, oldest first; when followed, until the container ends or the connection is lost.

    Args:
        cluster: where it is.
        wrote: whose lines.
        since: nothing that is older, to the second.
        tail: the last so many; None is every one.
        follow: whether to go on with lines as they come.
        previous: whether those from before the container's last start are meant.

    Raises:
        Refused: there is no such pod, or the container has not begun.
        SetupError: the API server does not answer, or does not allow it.

    """
    query = {"container": wrote.container, "timestamps": "true"}
    if since is not None:
        query["sinceTime"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if tail is not None:
        query["tailLines"] = str(tail)
    if previous:
        query["previous"] = "true"
    if follow:
        query["follow"] = "true"
    said: list[str] = []
    splitter = Lines(said.append)
    with cluster.stream(wrote.path, query, patience=None if follow else READ) as answer:
        for part in _parts(answer):
            splitter.feed(part)
            yield from _taken(said)
    splitter.close()
    yield from _taken(said)


def resumed(cluster: Cluster, wrote: Wrote, after: str = "", ended: Event | None = None) -> Iterator[Stamped]:
    """Follow a container to its end, and go on where a lost connection has cut that off.

    Args:
        cluster: where it is.
        wrote: whose lines.
        after: the time stamp of the last line that is known; empty gives all.
        ended: set when nobody reads any more; it ends the waiting for an API server that is away.

    """
    over, pause = ended or Event(), FIRST_PAUSE
    while True:
        since = parsed(after) if after else None
        known = after
        try:
            for one in lines(cluster, wrote, since=since, follow=True):
                if one.stamp > known:
                    after, pause = one.stamp, FIRST_PAUSE
                    yield one
            return
        except OSError:
            pass  # the connection was lost
        except (Refused, SetupError) as error:
            if not may_pass(error):
                return
        if over.wait(pause):
            return
        pause = min(2 * pause, LONGEST_PAUSE)


def parsed(stamp: str) -> datetime:
    """Return the moment of a time stamp."""
    return datetime.fromisoformat(stamp)


def _parts(answer: object) -> Iterator[bytes]:
    """Give the parts of an answer as they come."""
    from urllib3.exceptions import HTTPError

    try:
        yield from answer.stream(65536, decode_content=True)  # type: ignore[attr-defined]
    except HTTPError as error:
        raise ConnectionError(str(error)) from error


def _taken(said: list[str]) -> Iterator[Stamped]:
    for line in said:
        stamp, _, text = line.partition(" ")
        with suppress(ValueError):
            yield Stamped(stamp, parsed(stamp), text.rstrip("\r"))
    said.clear()
