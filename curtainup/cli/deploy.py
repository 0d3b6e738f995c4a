"""`curtainup deploy`."""

from __future__ import annotations

from pathlib import Path

from curtainup.cli.shared import asked, common, deploying, reviews

EXAMPLE = "Example: curtainup deploy examples/hello --canary 10,50 --every 5m"


def run(
    service: common.Service = Path(),
    env: reviews.Env = None,
    post: reviews.Post = False,
    config: common.Config = None,
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
    take_over: asked.TakeOver = False,
    wait: asked.Wait = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Take a service from source to live, through every gate.

    Prints the URL of live, or with --hold that of the candidate. Stops at the first failure. Live is
    untouched until the candidate has passed its gate. If live then fails its own gate, its traffic goes back
    to the previous release.
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
        no_metrics=no_metrics,
    )
    reviews.require_alone(env, options, post=post)
    seconds = asked.seconds_of(wait)
    session = common.session(service, config, quiet=quiet, review=env)
    deploying.run(session, "deploy", options, env, config=config, post=post, json=json, wait=seconds)
