"""The workflow of a CI system: preview for pull requests, deploy for merges; pure functions.

Keyless logins follow the pages of the CI systems and clouds: GitHub's google-github-actions/auth and
aws-actions/configure-aws-credentials; GitLab's `id_tokens` and Bitbucket's `oidc: true`, whose token the
cloud's SDKs exchange themselves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from curtainup.commands.init import files, review_jobs
from curtainup.commands.init.filling import fill
from curtainup.commands.init.models import Ci, Found, Target
from curtainup.targets import extras_of

PYTHON = "3.11"
IMAGE = "python:3.11-bookworm"
DOCTOR = "curtainup doctor --fix"
DOCTOR_WHY = "# Sets up the engine and its plugins, Docker and the base image, and checks the cloud account."
TOKENS = {Ci.GITLAB: "CLOUD_TOKEN", Ci.BITBUCKET: "BITBUCKET_STEP_OIDC_TOKEN"}


@dataclass(frozen=True)
class Setting:
    """A variable that somebody has to set in the CI system."""

    name: str
    meaning: str
    secret: bool = False


COMMENTS = {
    Ci.GITLAB: Setting("GITLAB_TOKEN", "a project access token for the API, to write the comment", True),
    Ci.BITBUCKET: Setting(
        "BITBUCKET_ACCESS_TOKEN",
        "a repository access token that can write pull requests, to write the comment",
        True,
    ),
}
"""Who writes the preview's comment; on GitHub the job itself may."""


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


def settings(found: Found) -> tuple[Setting, ...]:
    """Return the variables that the workflow needs, in the order they are explained."""
    return (
        Setting("PULUMI_BACKEND_URL", f"where Pulumi keeps its state: {_backend(found)}"),
        Setting(
            "PULUMI_CONFIG_PASSPHRASE",
            "opens the secrets in that state: a long random text; keep it",
            secret=True,
        ),
        *_login_settings(found),
        *(
            Setting(name, "a secret of the service, listed in env_secrets in pym-config.yaml", secret=True)
            for name in found.secrets
        ),
    )


def _login_settings(found: Found) -> tuple[Setting, ...]:
    google = (
        Setting(
            "GCP_WORKLOAD_IDENTITY_PROVIDER",
            "projects/NUMBER/locations/global/workloadIdentityPools/…/providers/…",
        ),
        Setting("GCP_SERVICE_ACCOUNT", "the deployer's address, deployer@PROJECT.iam.gserviceaccount.com"),
    )
    amazon = (
        Setting(
            "AWS_ROLE_ARN", "the deployer's role, arn:aws:iam::ACCOUNT:role/…, which trusts this repository"
        ),
    )
    return (google if Target.CLOUD_RUN in found.targets else ()) + (
        amazon if Target.BEANSTALK in found.targets else ()
    )


def _backend(found: Found) -> str:
    if Target.CLOUD_RUN in found.targets:
        return "gs://BUCKET"
    if Target.BEANSTALK in found.targets:
        return f"s3://BUCKET?region={_region(found)}"
    return "file:///var/lib/curtainup, a folder on the Docker host, or a bucket"


def _github(found: Found, reviews: bool) -> str:
    inside = found.repository.inside
    tests = fill("github-tests.yml", {"tests": files.test_packages(found.dependencies)})
    curtainup = fill("github-setup.yml", {**_common(found), "login": _login("github", found, "")})
    runner = "[self-hosted, linux] # on the Docker host" if _on_host(found) else "ubuntu-latest"
    block = {**_common(found), "runner": runner, "curtainup": curtainup, "set_up": f"{curtainup}{tests}"}
    needed = [f"{one.name}: ${{{{ secrets.{one.name} }}}}" for one in settings(found) if one.secret]
    return fill(
        "github.yml",
        {
            **block,
            **review_jobs.github(block, reviews=reviews),
            "inside": json.dumps(inside),
            "paths": f"    paths: [{json.dumps(inside + '/**')}]" if inside != "." else "",
            "permission": "  id-token: write # to log in to the cloud without a key"
            if extras_of(found.targets)
            else "",
            "secrets": "\n".join(needed[1:]),
            "settings": _explained(found, {True: "secret", False: "variable"}),
        },
    )


def _gitlab(found: Found, reviews: bool) -> str:
    inside = found.repository.inside
    audience = "https://iam.googleapis.com/$GCP_WORKLOAD_IDENTITY_PROVIDER"
    token = f"  id_tokens:\n    {TOKENS[Ci.GITLAB]}:\n      aud: "
    aud = audience if Target.CLOUD_RUN in found.targets else "$CI_SERVER_URL"
    why = "# `curtainup doctor --fix` starts Docker in this image, so the runner has to be privileged."
    hosted = f"  {why}\n  image: {IMAGE}"
    block = {
        **_common(found),
        **_shell(Ci.GITLAB, found),
        "paths": f"      changes: [{json.dumps(inside + '/**/*')}]" if inside != "." else "",
    }
    return fill(
        "gitlab.yml",
        {
            **block,
            **review_jobs.gitlab(block, reviews=reviews),
            "runner": "  tags: [docker-host] # a shell runner on the Docker host"
            if _on_host(found)
            else hosted,
            "settings": _explained(found, {True: "masked", False: "visible"}, COMMENTS[Ci.GITLAB]),
            "token": f"{token}{aud}" if extras_of(found.targets) else "",
        },
    )


def _bitbucket(found: Found, reviews: bool) -> str:
    runner = (
        "runs-on: [self.hosted, linux.shell] # on the Docker host"
        if _on_host(found)
        else "services: [docker]"
    )
    login = "oidc: true # to log in to the cloud without a key\n" if extras_of(found.targets) else ""
    block = {**_common(found), **_shell(Ci.BITBUCKET, found), "runner": f"{login}{runner}"}
    return fill(
        "bitbucket.yml",
        {
            **block,
            **review_jobs.bitbucket(block, reviews=reviews),
            "image": "" if _on_host(found) else f"image: {IMAGE}\n",
            "settings": _explained(found, {True: "secured", False: "variable"}, COMMENTS[Ci.BITBUCKET]),
        },
    )


def _shell(ci: Ci, found: Found) -> dict[str, str]:
    """Return the commands that set a job up, with the service's tests and without, as YAML lists."""
    inside = found.repository.inside
    curtainup = fill(
        "shell-setup.yml",
        {
            **_common(found),
            "enter": f"- cd {json.dumps(inside)}" if inside != "." else "",
            "login": _login("shell", found, TOKENS[ci]),
        },
    )
    tests = fill("shell-tests.yml", {"tests": files.test_packages(found.dependencies)})
    return {"curtainup": curtainup, "set_up": f"{curtainup}{tests}"}


def _login(kind: str, found: Found, token: str) -> str:
    values = {"region": _region(found), "token": token}
    return "".join(fill(f"{kind}-login-{cloud}.yml", values) for cloud in extras_of(found.targets))


def _common(found: Found) -> dict[str, str]:
    extras = ",".join(extras_of(found.targets))
    branch = found.repository.branch
    return {
        "branch": branch,
        "doctor": DOCTOR,
        "doctor_why": DOCTOR_WHY,
        "package": f"curtainup[{extras}]" if extras else "curtainup",
        "python": PYTHON,
        "quoted_branch": json.dumps(branch, ensure_ascii=False),
        "workflow": _name(found),
    }


def _explained(found: Found, kinds: dict[bool, str], comment: Setting | None = None) -> str:
    """Return the settings as comments; `comment` is what lets the preview write its own."""
    wanted = [*settings(found), *([comment] if comment else [])]
    return "\n".join(f"#   {one.name} ({kinds[one.secret]}): {one.meaning}" for one in wanted)


def _name(found: Found) -> str:
    return "curtainup" if found.repository.inside == "." else f"curtainup-{found.name}"


def _region(found: Found) -> str:
    return found.region or files.DEFAULT_REGION[Target.BEANSTALK]


def _on_host(found: Found) -> bool:
    return Target.DOCKER in found.targets
