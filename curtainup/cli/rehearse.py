"""`curtainup rehearse`."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import asked, common, deploying, reviews

if TYPE_CHECKING:
    from curtainup.session import Session

EXAMPLE = "Example: curtainup rehearse examples/hello --config cloud-run --fault crash"


def run(
    service: common.Service = Path(),
    env: reviews.Env = None,
    config: common.Config = None,
    env_file: common.EnvFile = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[@ENV]",
            help="Make this go wrong, in live or the environment you name: slow-start, crash, quota, "
            "throttle, swap-fails, slow-swap, slow-api, slow-grant, partial, normalise, lost-answer or "
            "eventual. You can give it several times.",
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
            help="Deploy nothing. Serve the rehearsed AWS to the AWS CLI and boto3 until Ctrl-C, and print "
            "the variables that point them to it.",
        ),
    ] = False,
    python: common.Python = None,
    allow_replace: asked.AllowReplace = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Rehearse a deployment to a cloud, on this machine.

    The pipeline is the same, and you need no account. Stand-ins for Cloud Run and Elastic Beanstalk run real
    containers, keep a state of their own, and refuse what the real services would refuse. Kubernetes is a
    real cluster: the one in KUBECONFIG, or one that ends with the command. Other commands use the rehearsal
    if you add --rehearsal.
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
    with ExitStack() as lasting:
        session = common.session(
            service,
            config,
            quiet=quiet,
            with_secrets=not endpoint,
            builds=image is None,
            rehearsal=True,
            faults=tuple(fault or ()),
            lasting=None if endpoint else lasting,
            review=env,
            env_file=env_file,
        )
        if endpoint:
            _serve(session)
            return
        tell = partial(asked.tell, json=json)
        deploying.run(session, "rehearse", options, env, config=config, post=False, tell=tell)


def _serve(session: Session) -> None:
    from curtainup.rehearsal.aws import by_hand

    by_hand.serve(session, partial(print, flush=True))
