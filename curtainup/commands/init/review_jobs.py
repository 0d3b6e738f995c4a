"""A workflow's jobs for review environments: deploy one, destroy it when its request closes, sweep the rest.

Each function returns the parts of its CI system's template; empty where no review environments are wanted.
GitHub and GitLab tell when a request closes, Bitbucket does not. GitHub runs a schedule that the workflow
says, GitLab and Bitbucket one that somebody makes in their settings.
"""

from __future__ import annotations

from collections.abc import Mapping

from curtainup.commands.init.filling import fill

TYPES = "    types: [opened, synchronize, reopened, closed]"
SCHEDULE = """\
  schedule:
    - cron: "23 4 * * *" # UTC"""
OPEN = " && github.event.action != 'closed'"
GITHUB = """\
# Each pull request also gets its own review environment, and the comment shows its address. When the request
# closes, the workflow removes the environment. Every night it removes those whose time to live (`review_ttl`)
# is over."""
GITLAB = """\
# Each merge request also gets its own review environment, and the comment shows its address. When the request
# is merged or closed, the pipeline removes the environment. A scheduled pipeline removes those whose time to
# live (`review_ttl`) is over: make a schedule under Build, "Pipeline schedules", on the default branch."""
BITBUCKET = """\
# Each pull request also gets its own review environment, and the comment shows its address. Bitbucket starts
# nothing when a request closes, so the environment stays until its time to live (`review_ttl`) is over. To
# remove it then, schedule the pipeline curtainup-sweep under Pipelines, "Schedules"."""


def github(values: Mapping[str, str], *, reviews: bool) -> dict[str, str]:
    """Return the parts of a workflow of GitHub Actions."""
    if not reviews:
        return dict.fromkeys(("about_reviews", "types", "schedule", "open", "reviews"), "")
    jobs = fill("github/reviews.yml", dict(values))
    return {"about_reviews": GITHUB, "types": TYPES, "schedule": SCHEDULE, "open": OPEN, "reviews": jobs}


def gitlab(values: Mapping[str, str], *, reviews: bool) -> dict[str, str]:
    """Return the parts of a pipeline of GitLab CI."""
    if not reviews:
        return {"about_reviews": "", "reviews": ""}
    return {"about_reviews": GITLAB, "reviews": fill("gitlab/reviews.yml", dict(values))}


def bitbucket(values: Mapping[str, str], *, reviews: bool) -> dict[str, str]:
    """Return the parts of Bitbucket Pipelines."""
    if not reviews:
        return dict.fromkeys(("about_reviews", "review", "sweep"), "")
    return {
        "about_reviews": BITBUCKET,
        "review": fill("bitbucket/review.yml", dict(values)),
        "sweep": fill("bitbucket/sweep.yml", dict(values)),
    }
