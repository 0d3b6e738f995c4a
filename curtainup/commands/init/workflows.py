"""The workflow of a CI system: preview for pull requests, deploy for merges; pure functions.

Keyless logins follow the pages of the CI systems and clouds: GitHub's google-github-actions/auth and
aws-actions/configure-aws-credentials; GitLab's `id_tokens` and Bitbucket's `oidc: true`, whose token the
cloud's SDKs exchange themselves.
"""

from __future__ import annotations

import json

from curtainup import __version__
from curtainup.commands.init import actions, files, review_jobs, variables
from curtainup.commands.init.filling import fill
from curtainup.commands.init.models import Ci, Found, Target
from curtainup.targets import extras_of
from curtainup.util import ssh_address

PYTHON = "3.11"
IMAGE = "python:3.11-bookworm"
DOCTOR = "curtainup doctor --fix"
READING = f"{DOCTOR} --read-only"
"""For a job whose login may change nothing."""
DOCTOR_WHY = "# Sets up the engine, its plugins, Docker and the base image, and checks what the job may do."
CACHES = "caches: [pip, pulumi]"
AUDIENCES = {
    "gcp": "https://iam.googleapis.com/$GCP_WORKLOAD_IDENTITY_PROVIDER",
    "aws": "$CI_SERVER_URL",
    "azure": "api://AzureADTokenExchange",
}
"""For whom the token is with which a GitLab job logs in to a cloud."""
DEPLOYMENT = "production"
"""A deployment environment that every repository of Bitbucket has from the beginning."""
HOSTED_MINUTES = 360
"""What GitHub's own machines give a job at most."""
SESSION_MINUTES = 720
"""What AWS gives the session of a role at most; without asking it is an hour."""
TOKEN = "id-token: write # to log in to the cloud without a key"  # noqa: S105 - a permission's name


def path(ci: Ci, found: Found) -> str:
    """Return where a CI system looks for its workflow, relative to the repository's root."""
    places = {
        Ci.GITHUB: f".github/workflows/{_name(found)}.yml",
        Ci.GITLAB: ".gitlab-ci.yml",
        Ci.BITBUCKET: "bitbucket-pipelines.yml",
    }
    return places[ci]


def workflow(ci: Ci, found: Found, *, reviews: bool = False) -> str:
    """Return the text of the workflow; with `reviews` a request gets an environment of its own."""
    writers = {Ci.GITHUB: _github, Ci.GITLAB: _gitlab, Ci.BITBUCKET: _bitbucket}
    return writers[ci](found, reviews)


def _github(found: Found, reviews: bool) -> str:
    inside = found.repository.inside
    key, secrets = variables.on_github(found)
    deploying, reading = _on_github(found, minutes=found.minutes), _on_github(found, preview=True)
    reviewing = _on_github(found, minutes=found.review_minutes)
    tests = fill("github/tests.yml", {"tests": files.test_packages(found.dependencies)})
    host = f"DOCKER_HOST: {json.dumps(found.host)}" if found.host else ""
    block = {
        **_common(found),
        "runner": "[self-hosted, linux] # on the Docker host" if _on_host(found) else "ubuntu-latest",
        "set_up": f"{deploying}{tests}",
        "preview": f"{reading}{tests}",
        "review_curtainup": reviewing,
        "review_set_up": f"{reviewing}{tests}",
        "unlock": fill("github/unlock.yml", {}),
        "token": TOKEN if variables.clouds(found) else "",
        "env": fill("github/env.yml", {"key": key, "docker_host": host, "secrets": secrets}),
        "minutes": str(_possible(found, found.minutes)),
        "review_minutes": str(_possible(found, found.review_minutes)),
    }
    return fill(
        "github/workflow.yml",
        {
            **block,
            **review_jobs.github(block, reviews=reviews),
            "inside": json.dumps(inside),
            "paths": _changes(found, "    paths", "/**"),
            "settings": variables.explained(found, {True: "secret", False: "variable"}),
        },
    )


def _on_github(found: Found, *, preview: bool = False, minutes: int = 0) -> str:
    """Return the steps that set curtainup up, logged in as the deployer or as who may only read."""
    common = _common(found)
    seconds = min(_possible(found, minutes), SESSION_MINUTES) * 60
    session = f"role-duration-seconds: {seconds} # as long as the job" if seconds > 3600 else ""
    parts = {
        "cache": "" if _on_host(found) else fill("github/cache.yml", common),
        "login": "".join(
            fill(
                f"github/login-{cloud}.yml",
                {
                    **common,
                    "region": files.region(found),
                    "identity": variables.identity(cloud, preview=preview),
                    "session": session,
                },
            )
            for cloud in variables.clouds(found)
        ),
        "reach": f"{_reach('github', found)}{_cluster('github', found)}",
        "doctor": READING if preview else DOCTOR,
        "registry": _registry("github", found),
    }
    return fill("github/setup.yml", {**common, **parts})


def environments(ci: Ci, found: Found, *, reviews: bool) -> list[str]:
    """Return the environments of a CI system that jobs which change something run in."""
    common = _common(found)
    if ci is Ci.BITBUCKET:
        return [DEPLOYMENT]
    return [common["live"], *([common["review"]] if reviews and ci is Ci.GITHUB else [])]


def longest(ci: Ci, found: Found) -> int | None:
    """Return the minutes that a CI system gives a deployment, if the configuration allows it more."""
    cut = ci is Ci.GITHUB and _possible(found, found.minutes) < found.minutes
    return HOSTED_MINUTES if cut else None


def _possible(found: Found, minutes: int) -> int:
    """Return the minutes that a job of GitHub's may have."""
    return minutes if _on_host(found) else min(minutes, HOSTED_MINUTES)


def _changes(found: Found, key: str, everything: str) -> str:
    """Return the line that has a workflow run only if something has changed that concerns the service."""
    return f"{key}: {json.dumps([one + everything for one in found.watched])}" if found.watched else ""


def _gitlab(found: Found, reviews: bool) -> str:
    clouds = variables.clouds(found)
    tokens = [f"    {_token(Ci.GITLAB, one)}:\n      aud: {AUDIENCES[one]}" for one in clouds]
    why = "# `curtainup doctor --fix` starts Docker in this image, so the runner has to be privileged."
    hosted = f"  {why}\n  image: {IMAGE}"
    block = {
        **_common(found),
        **_shell(Ci.GITLAB, found),
        "minutes": str(found.minutes),
        "review_minutes": str(found.review_minutes),
        "paths": _changes(found, "      changes", "/**/*"),
    }
    return fill(
        "gitlab/workflow.yml",
        {
            **block,
            **review_jobs.gitlab(block, reviews=reviews),
            "runner": "  tags: [docker-host] # a shell runner on the Docker host"
            if _on_host(found)
            else hosted,
            "settings": variables.explained(
                found, {True: "masked", False: "visible"}, variables.COMMENTS[Ci.GITLAB]
            ),
            "cache": "" if _on_host(found) else fill("gitlab/cache.yml", block),
            "cache_variables": "" if _on_host(found) else fill("gitlab/cache-variables.yml", {}),
            "unlock": fill("shell/unlock.yml", {**block, **_entered(Ci.GITLAB, found)}),
            "token": "\n".join(["  id_tokens:", *tokens]) if clouds else "",
        },
    )


def _bitbucket(found: Found, reviews: bool) -> str:
    runner = (
        "runs-on: [self.hosted, linux.shell] # on the Docker host"
        if _on_host(found)
        else "services: [docker]"
    )
    hosted = not _on_host(found)
    login = "oidc: true # to log in to the cloud without a key\n" if variables.clouds(found) else ""
    block = {
        **_common(found),
        **_shell(Ci.BITBUCKET, found),
        "deployment": DEPLOYMENT,
        "minutes": str(found.minutes),
        "review_minutes": str(found.review_minutes),
        "runner": f"{login}{runner}\n{CACHES if hosted else ''}",
    }
    return fill(
        "bitbucket/workflow.yml",
        {
            **block,
            **review_jobs.bitbucket(block, reviews=reviews),
            "caches": fill("bitbucket/caches.yml", {}) if hosted else "",
            "image": "" if _on_host(found) else f"image: {IMAGE}\n",
            "settings": variables.explained(
                found, {True: "secured", False: "variable"}, variables.COMMENTS[Ci.BITBUCKET]
            ),
        },
    )


def _shell(ci: Ci, found: Found) -> dict[str, str]:
    """Return the commands that set a job up, with the service's tests and without, as YAML lists."""
    guard = variables.GUARDS[found.key]
    quoted = "'" + guard.replace("'", "''") + "'"
    item = f"- {quoted}" if guard else ""
    common = {**_common(found), "guard_item": item}
    curtainup = fill("shell/setup.yml", {**common, **_entered(ci, found)})
    reading = fill("shell/setup.yml", {**common, **_entered(ci, found, preview=True), "doctor": READING})
    tests = fill("shell/tests.yml", {"tests": files.test_packages(found.dependencies)})
    return {"curtainup": curtainup, "set_up": f"{curtainup}{tests}", "preview": f"{reading}{tests}"}


def _entered(ci: Ci, found: Found, *, preview: bool = False) -> dict[str, str]:
    """Return the commands by which a shell of a job gets to the accounts, the host and the service."""
    inside = found.repository.inside
    return {
        "enter": f"- cd {json.dumps(inside)}" if inside != "." else "",
        "login": _login(found, ci, preview=preview),
        "reach": f"{_reach('shell', found)}{_cluster('shell', found)}",
        "registry": _registry("shell", found),
    }


def _reach(kind: str, found: Found) -> str:
    """Return what lets a job reach a Docker host by SSH; nothing if it runs there, or for a cloud."""
    if found.host is None:
        return ""
    ssh = fill("shell/ssh.sh", {"host": ssh_address.parse(found.host).host, "told": _told()})
    return fill(f"{kind}/ssh.yml", {"ssh": ssh, "docker_host_url": json.dumps(found.host)})


def _cluster(kind: str, found: Found) -> str:
    """Return what leads a job to a cluster; nothing if none of the targets is one."""
    if Target.KUBERNETES not in found.targets:
        return ""
    return fill(f"{kind}/cluster.yml", {"kubeconfig": fill("shell/cluster.sh", {"told": _told()})})


def _told() -> str:
    """Return the function by which a script reads a variable of several lines."""
    return fill("shell/told.sh", {})


def _registry(kind: str, found: Found) -> str:
    """Return what logs a job in to the registry of a cluster; a cloud's own needs no login."""
    return fill(f"{kind}/registry.yml", {}) if Target.KUBERNETES in found.targets else ""


def _login(found: Found, ci: Ci, *, preview: bool) -> str:
    return "".join(
        fill(
            f"shell/login-{cloud}.yml",
            {
                "region": files.region(found),
                "token": _token(ci, cloud),
                "identity": _as_reader(cloud) if preview else "",
            },
        )
        for cloud in variables.clouds(found)
    )


def _as_reader(cloud: str) -> str:
    """Return the command that makes a preview log in as who may only read."""
    deployer, reader = variables.identity(cloud), variables.identity(cloud, preview=True)
    return f"""- 'export {deployer}="${{{reader}:?is not set: previews log in as who may only read}}"'"""


def _token(ci: Ci, cloud: str) -> str:
    """Return the variable with the token that the CI system gives a job for a cloud."""
    return "BITBUCKET_STEP_OIDC_TOKEN" if ci is Ci.BITBUCKET else f"{cloud.upper()}_TOKEN"


def _common(found: Found) -> dict[str, str]:
    extras = ",".join(extras_of(found.targets))
    branch = found.repository.branch
    service = "" if found.repository.inside == "." else f"{found.name}-"
    return {
        **actions.uses(),
        "branch": branch,
        "doctor": DOCTOR,
        "doctor_why": DOCTOR_WHY,
        "live": f"{service}live",
        "review": f"{service}review",
        "guard": variables.GUARDS[found.key],
        "package": f"{f'curtainup[{extras}]' if extras else 'curtainup'}=={__version__}",
        "python": PYTHON,
        "quoted_branch": json.dumps(branch, ensure_ascii=False),
        "version": __version__,
        "workflow": _name(found),
    }


def _name(found: Found) -> str:
    return "curtainup" if found.repository.inside == "." else f"curtainup-{found.name}"


def _on_host(found: Found) -> bool:
    """Return whether the jobs run on the Docker host itself, which keeps what set-up downloads."""
    return Target.DOCKER in found.targets and found.host is None
