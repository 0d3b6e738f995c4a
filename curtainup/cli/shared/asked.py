"""The options that `deploy`, `rehearse` and `promote` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from curtainup.commands.review import Reviewed
    from curtainup.pipeline.canary import Canary
    from curtainup.pipeline.options import Options
    from curtainup.pipeline.plan.plan import Plan as AnyPlan
    from curtainup.pipeline.result import Result

Dirty = Annotated[bool, typer.Option("--dirty", help="Include uncommitted changes to tracked files.")]
AllowReplace = Annotated[
    bool,
    typer.Option(
        "--allow-replace",
        help="Allow changes that preview marks as dangerous: they interrupt traffic or lose data.",
    ),
]
Plan = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Make only the changes in this plan, written by `curtainup preview --save FILE`.",
        dir_okay=False,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image", metavar="REF", help="Build nothing; deploy this image, which is already in its registry."
    ),
]
Hold = Annotated[
    bool,
    typer.Option(
        "--hold",
        help="Stop when the candidate has passed its gate, leave it without traffic, and print its URL.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="STEP",
        help="Stop after this step: unit, build, local, push, staging, staging-gate or candidate-gate.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only", metavar="ENV", help="Deploy only to staging, or only to live what staging already serves."
    ),
]
ReplaceCandidate = Annotated[
    bool,
    typer.Option("--replace-candidate", help="Replace the candidate that is held on live."),
]
TakeOver = Annotated[
    bool,
    typer.Option(
        "--take-over", help="Deploy a service that another repository has deployed, and record this one."
    ),
]
DuringFreeze = Annotated[
    str | None,
    typer.Option(
        "--during-freeze", metavar="REASON", help="Change live although it is frozen, and record why."
    ),
]
CanarySteps = Annotated[
    str | None,
    typer.Option("--canary", metavar="10,50", help="Move live's traffic in these steps, in percent."),
]
Every = Annotated[
    str | None, typer.Option("--every", metavar="5m", help="With --canary: how long each step lasts.")
]
Watch = Annotated[
    str | None,
    typer.Option(
        "--watch",
        metavar="URL|CMD",
        help="With --canary: check this URL or command during the steps; if it fails, traffic goes back.",
    ),
]

NoMetrics = Annotated[
    bool, typer.Option("--no-metrics", help="Let the canary go on without asking for canary_metrics.")
]

Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="10m",
        help="Wait for up to this long while another run of the service is under way.",
        show_default="do not wait",
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
    take_over: bool = False,
    during_freeze: str | None = None,
    no_metrics: bool = False,
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
        metrics=not no_metrics,
        plan=_plan(plan, image=image),
        take_over=take_over,
        during_freeze=reason_of(during_freeze),
    )


def canary_of(steps: str | None, every: str | None, watch: str | None) -> Canary | None:
    """Return the canary that was asked for; None when none was.

    Raises:
        typer.BadParameter: steps that do not rise from 1 to 99, or a duration that is none.

    """
    if steps is None:
        if every is not None or watch is not None:
            raise typer.BadParameter("--every and --watch need --canary")
        return None
    from curtainup.pipeline.canary import Canary
    from curtainup.util import durations

    try:
        return Canary(_shares(steps), durations.parse(every) if every else 0, watch)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def reason_of(during_freeze: str | None) -> str | None:
    """Return the reason to change live although it is frozen; None when none was given.

    Raises:
        typer.BadParameter: it is empty.

    """
    from curtainup.util.plain import one_line

    reason = None if during_freeze is None else one_line(during_freeze)
    if reason == "":
        raise typer.BadParameter("--during-freeze: give the reason; the record and the history keep it")
    return reason


def seconds_of(wait: str | None) -> int:
    """Return for how long to wait for another run.

    Raises:
        typer.BadParameter: it is no duration.

    """
    from curtainup.util import durations

    try:
        return durations.parse(wait) if wait else 0
    except ValueError as error:
        raise typer.BadParameter(f"--wait: {error}") from error


def _plan(file: Path | None, *, image: str | None) -> AnyPlan | None:
    """Return the plan to keep to; None when none was asked for.

    Raises:
        typer.BadParameter: with an image that was built elsewhere, of which no plan can be made.
        RefusedError: the file holds no plan.

    """
    if file is None:
        return None
    if image is not None:
        raise typer.BadParameter(
            "give --plan or --image, not both: a plan is for an image that curtainup builds"
        )
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
        raise typer.BadParameter(f"--hold needs a candidate, and --until {step} stops before there is one")
    chosen = HELD_AT if hold else step
    if only == STAGING and chosen == HELD_AT:
        raise typer.BadParameter("--only staging never starts a candidate")
    if only == LIVE and chosen not in {None, HELD_AT}:
        raise typer.BadParameter(f"--only live does not run the step {chosen}")
    return chosen


def tell(result: Result | Reviewed, *, json: bool) -> None:
    """Print the result of a run: its URL, or else the image or version at which it stopped."""
    from dataclasses import asdict

    from curtainup.cli.shared import common

    if json:
        common.print_json(asdict(result))
    else:
        at = result.url or getattr(result, "image", "") or result.version
        common.show(at, flush=True)


def _shares(text: str) -> tuple[int, ...]:
    from pydantic import TypeAdapter, ValidationError

    from curtainup.config.keys import Percents

    steps: TypeAdapter[tuple[int, ...]] = TypeAdapter(Percents)
    try:
        return steps.validate_python(text.replace("%", "").split(","))
    except ValidationError as error:
        raise ValueError(
            f"--canary {text}: give percentages that rise from 1 to 99, such as 10,50"
        ) from error
