"""`curtainup rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli import asked, common, deploying, reviews

if TYPE_CHECKING:
    from curtainup.session import Session

EXAMPLE = "Example: curtainup rehearse examples/hello --config cloud-run --fault crash"


def run(
    service: common.Service = Path(),
    env: reviews.Env = None,
    config: common.Config = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[@ENV]",
            help="What goes wrong, in live or the environment named: slow-start, crash, quota, throttle, "
            "swap-fails, partial. Can be given again.",
        ),
    ] = None,
    dirty: asked.Dirty = False,
    image: asked.Image = None,
    hold: asked.Hold = False,
    until: asked.Until = None,
    only: asked.Only = None,
    replace_candidate: asked.ReplaceCandidate = False,
    canary: asked.CanarySteps = None,
    every: asked.Every = None,
    watch: asked.Watch = None,
    plan: asked.Plan = None,
    endpoint: Annotated[
        bool,
        typer.Option(
            "--endpoint",
            help="Deploy nothing: serve the rehearsed AWS to the AWS command line and boto3 until Ctrl-C, "
            "and print the variables that lead to it.",
        ),
    ] = False,
    python: common.Python = None,
    allow_replace: asked.AllowReplace = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Deploy to a cloud that is played on this machine: no account, the same pipeline.

    Stand-ins of Cloud Run and Elastic Beanstalk run real containers, keep state of their own, and refuse
    what the real ones would. Other commands are for the rehearsal with --rehearsal.
    """
    options = asked.options(
        dirty=dirty,
        python=python,
        allow_replace=allow_replace,
        image=image,
        hold=hold,
        until=until,
        only=only,
        replace_candidate=replace_candidate,
        canary=(canary, every, watch),
        plan=plan,
    )
    reviews.require_alone(env, options, post=False)
    session = common.session(
        service,
        config,
        quiet=quiet,
        with_secrets=not endpoint,
        rehearsal=True,
        faults=tuple(fault or ()),
        review=env,
    )
    if endpoint:
        _serve(session)
        return
    deploying.run(session, "rehearse", options, env, config=config, post=False, json=json)


def _serve(session: Session) -> None:
    from functools import partial

    from curtainup.rehearsal.aws import by_hand

    by_hand.serve(session, partial(print, flush=True))
