"""The scheduler itself: one thread that waits for the next due time, for its runs and for questions."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from curtainup.scheduler import due
from curtainup.scheduler.asking import Question, listen
from curtainup.scheduler.due import COUNTED, Due, Missed
from curtainup.scheduler.memory import MISSED, SKIPPED, Handled, Memory, Run, State, now
from curtainup.scheduler.plan import Plan, Planned
from curtainup.scheduler.running import Running, not_started

FOLLOWS, LONGEST_WAIT, RETRY = 0.1, 30.0, 1.0
"""Seconds: how often one that does not lead tries to, the longest wait, and the wait after an error."""
AHEAD = timedelta(hours=1)
"""A clock that is set back by more was wrong before. By less it makes nothing due a second time."""
OUTPUT: Sequence[int] = (1, 2)


class Scheduler:
    """The scheduler of a release."""

    def __init__(self, plan: Plan, memory: Memory, say: Callable[[str], None]) -> None:
        """Take what to run, what has run, and what takes a line for the log."""
        self._plan, self._memory, self._say = plan, memory, say
        self._handled: dict[str, datetime] = {}
        self._next: dict[str, datetime | None] = {}
        self._running: list[tuple[Running, Question | None]] = []
        self._ended: list[tuple[Run, Question | None]] = []
        self._leads = self._is_asked_to_end = self._ends = False

    def run(self) -> None:
        """Run the schedules until SIGTERM, and then for as long as their runs may go on."""
        self._memory.work()
        woken = self._heed_signals()
        with listen() as listening:
            while not self._ends or self._running or self._ended:
                self._step(listening, woken)
        try:
            self._note_retired()
        except OSError as error:
            self._say(f"cannot remember when it ended: {error}")
        self._memory.rest()

    def _heed_signals(self) -> int:
        """Return what can be read once a signal has come."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_end)
        return reading

    def _ask_to_end(self, *_: object) -> None:
        self._is_asked_to_end = True

    def _step(self, listening: socket.socket, woken: int) -> None:
        wait = LONGEST_WAIT
        try:
            if self._is_asked_to_end and not self._ends:
                self._retire()
            self._tend()
            if not self._ends:
                wait = self._lead()
        except OSError as error:
            self._say(f"cannot remember what runs, and tries again: {error}")
            wait = RETRY
        wait = min([wait, *(one.deadline - time.monotonic() for one, _ in self._running)])
        if self._ends and not self._running and not self._ended:
            return
        ready, _, _ = select.select([listening.fileno(), woken], [], [], max(0.0, wait))
        if woken in ready:
            os.read(woken, 4096)
        if listening.fileno() in ready:
            self._hear(listening)

    def _retire(self) -> None:
        """Give the lead away at once, so that the next scheduler goes on while the last runs end."""
        self._memory.retire()
        self._leads, self._ends = False, True
        begin = time.monotonic()
        for one, _ in self._running:
            one.bound(begin + one.planned.stop_timeout)
        self._note_retired()

    def _note_retired(self) -> None:
        """Remember when nobody wanted the schedules any more, as far as one knows who leads no more."""
        with self._memory.change() as state:
            if state.leader == self._memory.host:
                state.retired = now()

    def _lead(self) -> float:
        """Start what is due if this scheduler leads; return the seconds until it has to look again."""
        if not self._leads:
            if not self._memory.leads():
                return FOLLOWS
            self._adopt()
            self._leads = True
            self._say(f"release {self._plan.release} runs its schedules from now on")
        elif any(one - now() > AHEAD for one in self._handled.values()):
            self._adopt()
        for planned in self._plan.schedules:
            comes = self._next[planned.name]
            if comes is not None and comes <= now():
                self._start_due(planned)
        soonest = [one for one in self._next.values() if one is not None]
        return min([LONGEST_WAIT, *((one - now()).total_seconds() for one in soonest)])

    def _adopt(self) -> None:
        """Go on where the scheduler before has ended.

        What came due by another line counts for nothing, and neither does what nobody wanted.
        """
        moment = now()
        self._memory.tidy()
        with self._memory.change() as state:
            known = {(name, one.line): one for name, one in state.handled.items()}
            if state.was_paused(self._memory.host, moment):
                known = {}
                self._say("no release had schedules for a while: what came due meanwhile counts for nothing")
            state.leader, state.retired = self._memory.host, None
            fresh = {one.name: Handled(one.line, moment) for one in self._plan.schedules}
            state.handled = {
                name: self._believed(name, known.get((name, one.line), one), moment)
                for name, one in fresh.items()
            }
            handled = {name: one.at for name, one in state.handled.items()}
        for planned in self._plan.schedules:
            self._go_on(planned, handled[planned.name])

    def _believed(self, name: str, handled: Handled, moment: datetime) -> Handled:
        """Return up to when a schedule was handled: no time that only a wrong clock has told."""
        if handled.at - moment <= AHEAD:
            return handled
        told = "the clock was wrong: it had come to"
        self._say(f"schedule {name}: {told} {handled.at.isoformat()}; it counts from now on")
        return Handled(handled.line, moment)

    def _go_on(self, planned: Planned, handled: datetime) -> None:
        self._handled[planned.name] = handled
        self._next[planned.name] = due.after(planned, handled)

    def _start_due(self, planned: Planned) -> None:
        moment = now()
        with self._memory.change() as state:
            handled = state.handled.setdefault(planned.name, Handled(planned.line, moment))
            run = self._note(state, planned, due.since(planned, handled.at, moment))
            state.handled[planned.name] = Handled(planned.line, max(handled.at, moment))
        self._go_on(planned, max(handled.at, moment))
        if run is not None:
            self._start(planned, run, OUTPUT, None)

    def _note(self, state: State, planned: Planned, found: Due) -> Run | None:
        """Remember what becomes of due times, before anything starts; return the run to start."""
        if found.missed:
            self._leave_out(state, planned, found.missed.newest, MISSED, _why(planned, found.missed))
        if not found.late:
            return None
        *before, newest = found.late
        if before:
            count = f"{len(before)} due times" if len(before) > 1 else "it"
            self._leave_out(state, planned, before[0], SKIPPED, f"{count} gave way to a later one")
        if state.running(planned.name) and not planned.overlaps:
            self._leave_out(state, planned, newest, SKIPPED, "the run before was still on its way")
            return None
        run = self._run(planned, due=newest, started=now())
        state.runs.append(run)
        return run

    def _leave_out(self, state: State, planned: Planned, moment: datetime, outcome: str, why: str) -> None:
        state.runs.append(self._run(planned, due=moment, ended=now(), outcome=outcome, why=why))
        self._say(f"schedule {planned.name}: {outcome}, due {moment.isoformat()}: {why}")

    def _run(self, planned: Planned, **told: object) -> Run:
        return Run(planned.name, self._plan.release, self._memory.owner, **told)  # type: ignore[arg-type]

    def _start(self, planned: Planned, run: Run, streams: Sequence[int], question: Question | None) -> None:
        when = f"due {run.due.isoformat()}" if run.due else "as somebody asked for it"
        self._say(f"schedule {planned.name}: starts, {when}")
        try:
            self._running.append((Running(planned, run, streams), question))
        except OSError as error:
            self._end(run, not_started(error), question)

    def _tend(self) -> None:
        """End runs whose time is over, and remember how those have ended that did."""
        for pair in list(self._running):
            one, question = pair
            if one.tend():
                self._running.remove(pair)
                self._end(one.run, one.result(), question)
        if self._ended:
            with self._memory.change() as state:
                for run, _ in self._ended:
                    state.put(run)
            ended, self._ended = self._ended, []
            for run, question in ended:
                if question is not None:
                    question.answer(code=run.exit_code)

    def _end(self, run: Run, result: tuple[str, int, str], question: Question | None) -> None:
        run.ended = now()
        run.outcome, run.exit_code, run.why = result
        self._ended.append((run, question))
        self._say(f"schedule {run.schedule}: {run.outcome}" + (f": {run.why}" if run.why else ""))

    def _hear(self, listening: socket.socket) -> None:
        try:
            question = Question(listening)
        except (OSError, ValueError):
            return
        if question.asked.get("ask") != "run":
            question.answer(ready=True)
            return
        refused = self._run_now(question)
        if refused:
            question.answer(refused=refused)

    def _run_now(self, question: Question) -> str:
        """Run what somebody asks for; return why that cannot be, or nothing."""
        name = question.asked.get("schedule")
        planned = next((one for one in self._plan.schedules if one.name == name), None)
        if planned is None or len(question.files) != len(OUTPUT):
            return f"release {self._plan.release} has no schedule {name}"
        if self._ends:
            return "another release takes over"
        run = self._run(planned, started=now(), id=str(question.asked.get("id")))
        try:
            with self._memory.change() as state:
                is_free = planned.overlaps or not state.running(planned.name)
                state.runs += [run] if is_free else []
        except OSError as error:
            return f"the scheduler cannot remember it: {error}"
        if not is_free:
            return "the run before is still on its way"
        self._start(planned, run, question.files, question)
        question.close_files()
        return ""


def _why(planned: Planned, missed: Missed) -> str:
    limit = f"could not start within {planned.start_within:g} s"
    if missed.count == 1:
        return f"it {limit}"
    count = missed.count or f"more than {COUNTED}"
    return f"{count} due times since {_shown(missed.oldest, planned)} {limit}"


def _shown(moment: datetime, planned: Planned) -> str:
    there = moment.astimezone(planned.zone)
    return there.strftime(f"%Y-%m-%d %H:%M{':%S' * bool(there.second)} %Z")
