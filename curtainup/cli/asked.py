"""What `deploy`, `rehearse` and `promote` can be asked for on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from curtainup.pipeline.canary import Canary
    from curtainup.pipeline.options import Options
    from curtainup.pipeline.plan.plan import Plan as AnyPlan
    from curtainup.pipeline.result import Result

Dirty = Annotated[bool, typer.Option("--dirty", help="Deploy uncommitted changes of tracked files.")]
AllowReplace = Annotated[
    bool,
    typer.Option(
        "--allow-replace", help="Accept what preview calls dangerous: it interrupts traffic or loses data."
    ),
]
Plan = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Do only what is in this plan, which `curtainup preview --save FILE` has made.",
        dir_okay=False,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image", metavar="REF", help="Deploy an image that was built elsewhere and is in its registry."
    ),
]
Hold = Annotated[
    bool,
    typer.Option("--hold", help="Stop with the candidate proven, without traffic, and print its URL."),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="STEP",
        help="Stop after a step: unit, build, local, push, staging, staging-gate or candidate-gate.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only", metavar="ENV", help="Deploy to staging alone, or to live what is proven on staging."
    ),
]
ReplaceCandidate = Annotated[
    bool, typer.Option("--replace-candidate", help="Drop a candidate that is held on live.")
]
CanarySteps = Annotated[
    str | None,
    typer.Option("--canary", metavar="10,50", help="Per cent of live's traffic, one step after another."),
]
Every = Annotated[str | None, typer.Option("--every", metavar="5m", help="How long each step lasts.")]
Watch = Annotated[
    str | None,
    typer.Option(
        "--watch", metavar="URL|CMD", help="What must stay healthy during the steps, or traffic goes back."
    ),
]


def options(
    *,
    dirty: bool,
    python: str | None,
    allow_replace: bool,
    image: str | None,
    hold: bool,
    until: str | None,
    only: str | None,
    replace_candidate: bool,
    canary: tuple[str | None, str | None, str | None],
    plan: Path | None,
) -> Options:
    """Return what a deployment is asked for; `canary` is its steps, how long each lasts, and what is watched.

    Raises:
        typer.BadParameter: options that exclude each other, or a value that is none.
        RefusedError: the plan's file holds no plan.

    """
    from curtainup.pipeline.options import Options

    return Options(
        dirty=dirty,
        python=python,
        allow_replace=allow_replace,
        image=image,
        until=_until(until, hold=hold, only=only),
        only=only,
        replace_candidate=replace_candidate,
        canary=canary_of(*canary),
        plan=_plan(plan, image=image),
    )


def canary_of(steps: str | None, every: str | None, watch: str | None) -> Canary | None:
    """Return the canary that was asked for; None when none was.

    Raises:
        typer.BadParameter: steps that do not rise from 1 to 99, or a duration that is none.

    """
    if steps is None:
        if every is not None or watch is not None:
            raise typer.BadParameter("--every and --watch go with --canary")
        return None
    from curtainup.pipeline.canary import Canary
    from curtainup.util import durations

    try:
        return Canary(_shares(steps), durations.parse(every) if every else 0, watch)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _plan(file: Path | None, *, image: str | None) -> AnyPlan | None:
    """Return the plan to keep to; None when none was asked for.

    Raises:
        typer.BadParameter: with an image that was built elsewhere, of which no plan can be made.
        RefusedError: the file holds no plan.

    """
    if file is None:
        return None
    if image is not None:
        raise typer.BadParameter("choose one of --plan and --image: a plan is of what is built here")
    from curtainup.pipeline.plan import plan as plans

    return plans.read(file)


def _until(step: str | None, *, hold: bool, only: str | None) -> str | None:
    """Return the step to stop after.

    Raises:
        typer.BadParameter: there is no such step or environment, or they exclude each other.

    """
    from curtainup.model.names import LIVE, STAGING
    from curtainup.pipeline.options import HELD_AT, UNTIL

    if step is not None and step not in UNTIL:
        raise typer.BadParameter(f"--until {step}: choose one of {', '.join(UNTIL)}")
    if only is not None and only not in {STAGING, LIVE}:
        raise typer.BadParameter(f"--only {only}: choose {STAGING} or {LIVE}")
    if hold and step not in {None, HELD_AT}:
        raise typer.BadParameter(f"--hold goes on to the candidate, --until {step} does not")
    chosen = HELD_AT if hold else step
    if only == STAGING and chosen == HELD_AT:
        raise typer.BadParameter("there is no candidate with --only staging")
    if only == LIVE and chosen not in {None, HELD_AT}:
        raise typer.BadParameter(f"--only live goes past {chosen}")
    return chosen


def tell(result: Result, *, json: bool) -> None:
    """Print what a run came to: the URL, else the image or version it stopped at."""
    from dataclasses import asdict

    from curtainup.cli import common

    if json:
        common.print_json(asdict(result))
    else:
        print(result.url or result.image or result.version)


def _shares(text: str) -> tuple[int, ...]:
    from pydantic import TypeAdapter, ValidationError

    from curtainup.config.keys import Percents

    steps: TypeAdapter[tuple[int, ...]] = TypeAdapter(Percents)
    try:
        return steps.validate_python(text.replace("%", "").split(","))
    except ValidationError as error:
        raise ValueError(f"--canary {text}: give per cents that rise from 1 to 99, such as 10,50") from error
