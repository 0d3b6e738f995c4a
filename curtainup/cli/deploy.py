"""`curtainup deploy`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from curtainup.cli.shared import asked, common, deploying, reviews, several

EXAMPLE = "Example: curtainup deploy examples/hello --canary 10,50 --every 5m"


def run(
    services: several.Services = None,
    env: reviews.Env = None,
    post: reviews.Post = False,
    config: common.Config = None,
    env_file: common.EnvFile = None,
    dirty: asked.Dirty = False,
    python: common.Python = None,
    allow_replace: asked.AllowReplace = False,
    image: asked.Image = None,
    hold: asked.Hold = False,
    until: asked.Until = None,
    only: asked.Only = None,
    replace_candidate: asked.ReplaceCandidate = False,
    canary: asked.CanarySteps = None,
    every: asked.Every = None,
    watch: asked.Watch = None,
    no_metrics: asked.NoMetrics = False,
    plan: asked.Plan = None,
    during_freeze: asked.DuringFreeze = None,
    take_over: asked.TakeOver = False,
    wait: asked.Wait = None,
    changed_since: several.ChangedSince = None,
    jobs: several.Jobs = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Take a service from source to live, through every gate.

    Prints the URL of live, or with --hold that of the candidate. Stops at the first failure. Live is
    untouched until the candidate has passed its gate. If live then fails its own gate, its traffic goes back
    to the previous release.

    Several services are deployed in the order that their `depends_on` gives. What fails stops those that
    depend on it, and no others.
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
        take_over=take_over,
        during_freeze=during_freeze,
        no_metrics=no_metrics,
    )
    reviews.require_alone(env, options, post=post)
    seconds = asked.seconds_of(wait)

    def deploy(folder: Path, tell: Callable[[Any], None] = deploying.nothing) -> object:
        session = common.session(
            folder, config, quiet=quiet, builds=image is None, review=env, env_file=env_file
        )
        return deploying.run(
            session, "deploy", options, env, config=config, post=post, tell=tell, wait=seconds
        )

    one = several.alone(services, changed_since, jobs)
    if one is not None:
        deploy(one, partial(asked.tell, json=json))
        return
    several.require_for_all(options)
    several.deploy(
        services, config, deploy, changed_since=changed_since, jobs=jobs, dirty=dirty, json=json, quiet=quiet
    )
