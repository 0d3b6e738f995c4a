"""`make cloud-check`: check curtainup on a real account, which costs money for as long as it takes."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from cloud_check import report
from cloud_check.models import TARGETS, Left, Outcome, Place
from cloud_check.service import Service
from cloud_check.story import Story
from curtainup import __version__

REGIONS = {"cloud-run": "europe-west1", "beanstalk": "eu-west-1"}
FOLDER = Path("cloud-check")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the story, write the report, and return the exit code."""
    place, folder, rehearsal = _asked(arguments)
    name = f"cucheck-{uuid.uuid4().hex[:6]}"
    service = Service(folder / name, name, place, rehearsal=rehearsal)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    outcome = Outcome(name, place, __version__, began)
    signal.signal(signal.SIGTERM, _stop)
    _tell(f"{name} is deployed to {place.target}, {place.region}: this is billed until it is destroyed")
    try:
        Story(service, service.run, _nothing if rehearsal else _left(place), outcome, _tell).play()
    finally:
        written = report.write(outcome, folder / name)
        _conclude(outcome, service, written)
    return 0 if outcome.passed else 1


def _asked(arguments: Sequence[str] | None) -> tuple[Place, Path, bool]:
    parser = argparse.ArgumentParser(prog="make cloud-check", description=__doc__)
    parser.add_argument("--target", required=True, choices=TARGETS)
    parser.add_argument("--project", help="the id of the Google Cloud project, for cloud-run")
    parser.add_argument("--region", help="of the cloud")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="for the service, its state and the report"
    )
    parser.add_argument("--rehearsal", action="store_true", help="play it on the stand-ins of this machine")
    asked = parser.parse_args(arguments)
    if (asked.target == "cloud-run") != bool(asked.project):
        parser.error(
            "cloud-run needs PROJECT=…" if asked.target == "cloud-run" else "beanstalk has no PROJECT"
        )
    place = Place(asked.target, asked.region or REGIONS[asked.target], asked.project)
    return place, asked.folder.resolve(), asked.rehearsal


def _left(place: Place) -> Left:
    """Return how to ask the place's cloud what is left of a service."""
    if place.target == "beanstalk":
        from cloud_check import amazon
        from curtainup.platforms.amazon import client

        return lambda service: amazon.left(service, lambda api: client(api, place.region, None))
    from cloud_check import google

    return lambda service: google.left(service, place, google.asking())


def _nothing(_service: str) -> list[str]:
    """Stand for a cloud that has nothing left: a rehearsal's is on this machine."""
    return []


def _conclude(outcome: Outcome, service: Service, written: Path) -> None:
    for line in report.ending(outcome):
        _tell(line.replace("**", ""))
    if not outcome.destroyed or outcome.left != []:
        _tell(f"TO DESTROY IT BY HAND: {service.by_hand()}")
    _tell(f"{'passed' if outcome.passed else 'FAILED'}: {written}")


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


_tell = partial(print, file=sys.stderr, flush=True)

if __name__ == "__main__":
    sys.exit(main())
