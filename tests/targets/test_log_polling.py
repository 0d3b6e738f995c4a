from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from curtainup.targets import log_polling
from curtainup.targets.log_lines import Asked, Line
from curtainup.targets.log_polling import OVERLAP, Entry


class Log:
    """A log that is written while it is followed: each pause lets the next batch come."""

    def __init__(self, *batches: list[Entry]) -> None:
        self.entries: list[Entry] = []
        self.coming = list(batches)
        self.asked: list[Asked] = []
        self.idle = 0
        self.pause()

    def read(self, asked: Asked) -> Iterator[Entry]:
        self.asked.append(asked)
        found = [one for one in self.entries if asked.since is None or one.line.at >= asked.since]
        found.sort(key=lambda one: one.line.at)
        yield from found if asked.tail is None else found[-asked.tail :]

    def pause(self) -> None:
        if self.coming:
            self.entries += self.coming.pop(0)
            return
        self.idle += 1
        assert self.idle < 10, "what was waited for never came"

    def followed(self, count: int, asked: Asked | None = None) -> list[str]:
        lines = log_polling.follow(self.read, asked or Asked(), self.pause)
        return [one.text for one in islice(lines, count)]


NOW = datetime.now(UTC)


def entry(name: str, seconds: float) -> Entry:
    return Entry(name, Line(NOW + timedelta(seconds=seconds), "r0000001", name))


def test_what_there_is_comes_first_and_each_line_once() -> None:
    log = Log([entry("a", -60), entry("b", -1)], [entry("c", 0)], [], [entry("d", 1)])
    assert log.followed(4) == ["a", "b", "c", "d"]
    assert [asked.since for asked in log.asked[:2]] == [None, NOW + timedelta(seconds=-1) - OVERLAP]


def test_a_line_that_arrives_late_is_shown_and_two_at_the_same_moment_too() -> None:
    log = Log([entry("a", -10), entry("b", -1)], [entry("late", -5), entry("same", -1)])
    assert log.followed(4) == ["a", "b", "late", "same"]


def test_lines_before_the_last_ones_that_were_wanted_stay_unseen() -> None:
    log = Log([entry("a", -3), entry("b", -2), entry("c", -1)], [entry("d", 0)])
    assert log.followed(3, Asked(tail=2)) == ["b", "c", "d"]


def test_nothing_but_what_comes() -> None:
    log = Log([entry("a", -3)], [entry("b", timedelta(days=1).total_seconds())])
    assert log.followed(1, Asked(tail=0)) == ["b"]
    assert [asked.tail for asked in log.asked] == [None], "nothing is asked for at first"


def test_what_is_older_than_wanted_stays_unseen_when_it_arrives_late() -> None:
    log = Log([entry("a", -3)], [entry("older", -8), entry("b", 1)])
    assert log.followed(2, Asked(since=NOW - timedelta(seconds=5))) == ["a", "b"]


def test_a_long_story_is_told_once() -> None:
    batches = [[entry(f"{number}", number * OVERLAP.total_seconds())] for number in range(100)]
    assert Log(*batches).followed(100) == [str(number) for number in range(100)]


def test_without_following_there_is_an_end() -> None:
    log = Log([entry("a", -3), entry("b", -2)])
    assert [one.text for one in log_polling.lines(log.read, Asked(tail=1))] == ["b"]
    assert list(log_polling.lines(log.read, Asked(tail=0))) == []
