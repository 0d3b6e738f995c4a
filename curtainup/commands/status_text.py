"""The status of services as text: a line per environment and release."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.commands import status_of_schedules
from curtainup.commands.status import EnvironmentStatus, ReleaseStatus, ServiceStatus, Unreadable
from curtainup.environments.accessory_states import AccessoryState
from curtainup.model.process_state import ProcessState


def render(services: Sequence[ServiceStatus | Unreadable]) -> str:
    """Return the status as text, newest release first; it does not say why a service is unreadable."""
    return "\n".join(line for one in services for line in _service(one))


def _service(found: ServiceStatus | Unreadable) -> list[str]:
    if isinstance(found, Unreadable):
        return [f"{found.service}: cannot be read"]
    lines = [line for one in found.environments for line in _environment(found.service, one)]
    return [*lines, *([f"{found.service}: a run is under way: {found.run}"] if found.run else [])]


def _environment(service: str, found: EnvironmentStatus) -> list[str]:
    if found.url is None:
        lines = [f"{service} {found.name}: not deployed"]
    else:
        lines = [f"{service} {found.name}: {found.url}  {_answer(found)}"]
    lines += [f"  MAINTENANCE {found.maintenance}: users get 503"] if found.maintenance else []
    lines += [f"  {_release(one)}" for one in reversed(found.releases)]
    lines += [f"  process {_process(one)}" for one in found.processes]
    lines += [f"  {line}" for one in found.schedules for line in status_of_schedules.lines(one)]
    lines += [f"  accessory {_accessory(one)}" for one in found.accessories]
    lines += [f"  billed: {found.costs}"] if found.costs else []
    lines += [f"  update: {found.update}"] if found.update else []
    lines += [f"  frozen until {found.freeze.told}"] if found.freeze else []
    return lines


def _release(one: ReleaseStatus) -> str:
    held = "canary, paused" if one.traffic else "candidate, held"
    candidate = held if one.held else "candidate" if one.candidate else ""
    down = f"DOWN: {one.down}" if one.down else ""
    when = f"since {one.since[:16].replace('T', ' ')} UTC" if one.since else ""
    who = f"by {one.by}" if one.since and one.by else ""
    since = f"{when} {who}".strip()
    parts = (f"{one.traffic:3} %", one.version, one.id, one.url, down, candidate, since)
    return "  ".join(part for part in parts if part)


def _process(one: ProcessState) -> str:
    """Return a copy of a process in one line, as in `worker.1  running  r1a2b3c4  2 restarts`."""
    restarts = f"{one.restarts} restart{'s' * (one.restarts != 1)}" if one.restarts else ""
    parts = (f"{one.process}.{one.number}", one.state, one.release, restarts, one.why)
    return "  ".join(part for part in parts if part)


def _accessory(one: AccessoryState) -> str:
    """Return an accessory in one line, as in `db  running  postgres:16  volume shop-live-db`."""
    volume = f"volume {one.volume}" if one.volume else ""
    return "  ".join(part for part in (one.name, one.state, one.image, volume, one.why) if part)


def _answer(environment: EnvironmentStatus) -> str:
    if environment.down:
        who = f", answered by {environment.answers}" if environment.answers else ""
        return f"DOWN: {environment.down}{who}"
    if environment.answers is None:
        return "no answer" if environment.releases else "no release"
    shares = {one.id: one.traffic for one in environment.releases}
    share = shares.get(environment.answers)
    if not share:
        return f"answered by {environment.answers}, which should have no traffic"
    return "answers" if share == 100 else f"answers, {environment.answers} just now"
