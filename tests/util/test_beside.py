from __future__ import annotations

from threading import Event

import pytest

from curtainup.util.beside import GoOn, beside


def _fail(first: Event) -> None:
    first.set()
    raise ValueError("of the block")


def test_the_block_begins_when_the_work_says_so_and_waits_for_its_end() -> None:
    done, ended = Event(), list[bool]()

    def work(go_on: GoOn) -> None:
        go_on()
        ended.append(done.wait(60))

    with beside(work):
        assert not ended
        done.set()
    assert ended == [True]


def test_work_that_never_says_so_ends_before_the_block() -> None:
    ended = list[bool]()
    with beside(lambda _: ended.append(True)):
        assert ended


def test_work_that_fails_first_prevents_the_block() -> None:
    with pytest.raises(ZeroDivisionError), beside(lambda _: 1 // 0):
        pytest.fail("it began")


def test_an_error_of_the_block_waits_for_the_work() -> None:
    done, ended = Event(), list[bool]()

    def work(go_on: GoOn) -> None:
        go_on()
        ended.append(done.wait(60))

    with pytest.raises(ValueError, match="of the block"), beside(work):
        _fail(done)
    assert ended == [True]


def test_if_both_fail_the_error_of_the_work_is_raised() -> None:
    failed = Event()

    def work(go_on: GoOn) -> None:
        go_on()
        assert failed.wait(60)
        raise KeyError("of the work")

    with pytest.raises(KeyError) as caught, beside(work):
        _fail(failed)
    assert isinstance(caught.value.__cause__, ValueError)
