"""Every workflow, by the schemas of the CI systems, by actionlint, and by the programs that it runs."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.auth import identity_pool

from curtainup import __version__
from curtainup.commands.init import filling, variables, workflows
from curtainup.commands.init.detect import detect
from curtainup.commands.init.models import Ci, Found, Key, StateKind, Target, Wishes
from curtainup.targets import TARGETS
from tests.commands.init.services import SERVICES, lay_out

SCHEMAS = {Ci.GITHUB: "github-workflows", Ci.GITLAB: "gitlab-ci", Ci.BITBUCKET: "bitbucket-pipelines"}
CONFIG = """\
name: shop
docker_repo: books
gcp_region: us-east1
aws_region: eu-north-1
env_secrets: [DB_PASSWORD]
"""


def _found(
    folder: Path, target: Target, *, service: str = "flask", inside: str = ".", config: str = ""
) -> Found:
    """Find one of the services, configured for a target, perhaps in a folder of a repository."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(folder)], check=True)
    text = f"{CONFIG}deploy_target: {target.value}\n{config}"
    return detect(
        lay_out(folder / inside, {**SERVICES[service], "pym-config.yaml": text}), Wishes(), warn=pytest.fail
    )


def _all(folder: Path, ci: Ci) -> list[Path]:
    """Write each target's and service's workflow, at a root and below, with reviews and without."""
    written = []
    for number, (target, service, inside) in enumerate(
        itertools.product(Target, SERVICES, (".", "services/shop"))
    ):
        found = _found(folder / str(number), target, service=service, inside=inside)
        file = found.repository.root / workflows.path(ci, found)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(workflows.workflow(ci, found))
        reviewing = file.with_name(f"reviewing-{file.name}")
        reviewing.write_text(workflows.workflow(ci, found, reviews=True))
        written += [file, reviewing]
    return written


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Ci], list[Path]]:
    """Gives the workflows of a CI system, which are written once."""
    return functools.cache(lambda ci: _all(tmp_path_factory.mktemp(ci.value), ci))


CHOICES: tuple[dict[str, Any], ...] = (
    *({"state": one} for one in StateKind if one is not StateKind.PULUMI),
    {"state": StateKind.PULUMI, "key": Key.TOKEN},
    {"host": "ssh://deploy@shop.example.com:2222"},
    {"key": Key.CLOUD, "state": StateKind.S3},
)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Ci], list[Path]]:
    """Gives the workflows of a CI system for each state and key, and for a Docker host somewhere else."""

    def write(ci: Ci) -> list[Path]:
        files = []
        for number, choice in enumerate(CHOICES):
            found = replace(_found(tmp_path_factory.mktemp(ci.value), Target.DOCKER), **choice)
            file = found.repository.root / f"{number}-{Path(workflows.path(ci, found)).name}"
            file.write_text(workflows.workflow(ci, found, reviews=True))
            files.append(file)
        return files

    return functools.cache(write)


def _read(folder: Path, ci: Ci, target: Target, inside: str = ".") -> Any:
    found = _found(folder, target, inside=inside)
    return yaml.safe_load(workflows.workflow(ci, found))


def _scripts(ci: Ci, workflow: Any) -> list[str]:
    """Return the shell scripts of a workflow's jobs, preview first, as the CI system runs them."""
    if ci is Ci.GITHUB:
        jobs = (workflow["jobs"]["preview"], workflow["jobs"]["deploy"])
        return ["\n".join(step.get("run", "") for step in job["steps"]) for job in jobs]
    if ci is Ci.GITLAB:
        jobs = (workflow["curtainup-preview"], workflow["curtainup-deploy"])
        whole = [{**workflow[".curtainup"], **job} for job in jobs]
        return ["\n".join([*job["before_script"], *job["script"]]) for job in whole]
    preview, *_ = workflow["pipelines"]["pull-requests"]["**"]
    [deploy] = workflow["pipelines"]["branches"]["main"]
    return ["\n".join(one["step"]["script"]) for one in (preview, deploy)]


@pytest.mark.parametrize("ci", SCHEMAS)
def test_each_follows_its_schema(
    written: Callable[[Ci], list[Path]], chosen: Callable[[Ci], list[Path]], ci: Ci
) -> None:
    schema = f"vendor.{SCHEMAS[ci]}"
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        schema,
        *map(str, (*written(ci), *chosen(ci))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_has_nothing_to_say(
    tmp_path: Path,
    written: Callable[[Ci], list[Path]],
    chosen: Callable[[Ci], list[Path]],
    actionlint: Path,
) -> None:
    files = (*written(Ci.GITHUB), *chosen(Ci.GITHUB))
    done = subprocess.run([actionlint, *files], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_actionlint_would_have_something_to_say(
    tmp_path: Path, written: Callable[[Ci], list[Path]], actionlint: Path
) -> None:
    text = written(Ci.GITHUB)[0].read_text()
    file = tmp_path / "workflow.yml"
    file.write_text(text.replace("vars.PULUMI_BACKEND_URL", "vasr.PULUMI_BACKEND_URL"))
    done = subprocess.run([actionlint, file], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "vasr" in done.stdout


@pytest.mark.parametrize("ci", SCHEMAS)
def test_the_shell_can_read_every_script(
    written: Callable[[Ci], list[Path]], chosen: Callable[[Ci], list[Path]], ci: Ci
) -> None:
    for file in (*written(ci), *chosen(ci)):
        assert filling.MARK not in file.read_text()
        for script in _scripts(ci, yaml.safe_load(file.read_text())):
            done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), script


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("ci", SCHEMAS)
def test_pull_requests_are_previewed_and_merges_deployed(tmp_path: Path, ci: Ci, target: Target) -> None:
    preview, deploy = _scripts(ci, _read(tmp_path, ci, target))
    extras = {
        Target.DOCKER: f"'curtainup=={__version__}'",
        Target.CLOUD_RUN: f"'curtainup[gcp]=={__version__}'",
        Target.BEANSTALK: f"'curtainup[aws]=={__version__}'",
        Target.KUBERNETES: f"'curtainup[kubernetes]=={__version__}'",
        Target.GKE: f"'curtainup[gcp,kubernetes]=={__version__}'",
    }
    for script in (preview, deploy):
        assert extras[target] in script
        assert "doctor --fix" in script
        assert ".venv/bin/pip install --quiet pytest requests -r requirements.txt" in script
    assert "curtainup preview --post" in preview
    assert "curtainup deploy" not in preview
    assert ("exec curtainup deploy" if ci is Ci.GITHUB else "curtainup deploy") in deploy.splitlines()


@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_machine_that_is_not_fine_ends_the_job(tmp_path: Path, ci: Ci) -> None:
    for number, target in enumerate(Target):
        preview, deploy = _scripts(ci, _read(tmp_path / str(number), ci, target))
        assert "curtainup doctor --fix --read-only" in preview.splitlines()
        assert "curtainup doctor --fix" in deploy.splitlines()


@pytest.mark.parametrize("reviews", [False, True])
def test_one_deployment_runs_at_a_time_and_none_is_cut_off(tmp_path: Path, *, reviews: bool) -> None:
    found = _found(tmp_path, Target.DOCKER)
    github, gitlab = (
        yaml.safe_load(workflows.workflow(ci, found, reviews=reviews)) for ci in (Ci.GITHUB, Ci.GITLAB)
    )
    one_at_a_time = github["jobs"]["deploy"]["concurrency"]
    assert one_at_a_time["cancel-in-progress"] is False
    deploy = gitlab["curtainup-deploy"]
    assert deploy["interruptible"] is False
    for group in (one_at_a_time["group"], deploy["resource_group"]):
        assert group.startswith("curtainup")
        assert "$" not in group, "the same for every commit"


def test_the_preview_may_write_its_comment(tmp_path: Path) -> None:
    found = _found(tmp_path, Target.DOCKER)
    github = workflows.workflow(Ci.GITHUB, found)
    assert "pull-requests: write" in github
    assert "GITHUB_TOKEN: ${{ github.token }}" in github
    assert "#   GITLAB_TOKEN (masked): " in workflows.workflow(Ci.GITLAB, found)
    assert "#   BITBUCKET_ACCESS_TOKEN (secured): " in workflows.workflow(Ci.BITBUCKET, found)


@pytest.mark.parametrize("ci", SCHEMAS)
def test_what_has_to_be_set_is_explained(tmp_path: Path, ci: Ci) -> None:
    for number, target in enumerate(Target):
        found = _found(tmp_path / str(number), target)
        head, _, _ = workflows.workflow(ci, found).partition("\n\n")
        names = [setting.name for setting in variables.settings(found)]
        assert {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "DB_PASSWORD"} <= set(names)
        assert [name for name in names if f"#   {name} (" not in head] == []


def test_on_github_every_secret_is_handed_to_the_jobs(tmp_path: Path) -> None:
    """A job hands them on itself, as only so it gets those of its own environment."""
    workflow = _read(tmp_path, Ci.GITHUB, Target.DOCKER)
    assert "env" not in workflow
    for job in workflow["jobs"].values():
        assert job["env"]["DB_PASSWORD"] == "${{ secrets.DB_PASSWORD }}"
        assert job["env"]["PULUMI_CONFIG_PASSPHRASE"] == "${{ secrets.PULUMI_CONFIG_PASSPHRASE }}"
        assert job["env"]["PULUMI_BACKEND_URL"] == "${{ vars.PULUMI_BACKEND_URL }}"


def test_only_a_cloud_gets_a_token_and_only_a_docker_host_a_runner_of_its_own(tmp_path: Path) -> None:
    docker = _read(tmp_path / "a", Ci.GITHUB, Target.DOCKER)
    cloud = _read(tmp_path / "b", Ci.GITHUB, Target.CLOUD_RUN)
    assert docker["permissions"] == cloud["permissions"] == {}
    assert docker["jobs"]["preview"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert docker["jobs"]["deploy"]["permissions"] == {"contents": "read"}
    assert cloud["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert docker["jobs"]["deploy"]["runs-on"] == ["self-hosted", "linux"]
    assert cloud["jobs"]["deploy"]["runs-on"] == "ubuntu-latest"
    assert "image" not in _read(tmp_path / "c", Ci.GITLAB, Target.DOCKER)[".curtainup"]
    assert "id_tokens" in _read(tmp_path / "d", Ci.GITLAB, Target.BEANSTALK)[".curtainup"]


@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_service_below_the_root_is_deployed_from_its_folder(tmp_path: Path, ci: Ci) -> None:
    workflow = _read(tmp_path, ci, Target.CLOUD_RUN, "services/shop")
    if ci is Ci.GITHUB:
        assert workflow["defaults"]["run"]["working-directory"] == "services/shop"
        assert workflow[True]["push"]["paths"] == ["services/shop/**"], "YAML 1.1 reads `on` as true"
    else:
        assert all('cd "services/shop"\n' in script for script in _scripts(ci, workflow))


@pytest.mark.parametrize(
    ("context", "folders"),
    [
        (".", ["services/shop"]),
        ("image", ["services/shop"]),
        ("..", ["services"]),
        ("../..", None),
        ("../../libs", ["services/shop", "libs"]),
    ],
)
@pytest.mark.parametrize("ci", [Ci.GITHUB, Ci.GITLAB])
def test_a_workflow_runs_when_something_in_the_context_changes(
    tmp_path: Path, ci: Ci, context: str, folders: list[str] | None
) -> None:
    found = _found(tmp_path, Target.DOCKER, inside="services/shop", config=f"build: {{context: {context}}}\n")
    workflow = yaml.safe_load(workflows.workflow(ci, found))
    if ci is Ci.GITHUB:
        told = [workflow[True][event].get("paths") for event in ("push", "pull_request")]
        end = "/**"
    else:
        told = [workflow[job]["rules"][0].get("changes") for job in ("curtainup-preview", "curtainup-deploy")]
        end = "/**/*"
    wanted = [f"{folder}{end}" for folder in folders] if folders else None
    assert told == [wanted, wanted]


def test_the_secrets_of_the_build_are_asked_for(tmp_path: Path) -> None:
    found = _found(tmp_path, Target.DOCKER, config="build: {secrets: [PIP_TOKEN]}\n")
    assert "PIP_TOKEN" in workflows.workflow(Ci.GITHUB, found)


@pytest.mark.parametrize(("code", "passes"), [(0, True), (2, True), (1, False), (17, False)])
@pytest.mark.parametrize("ci", SCHEMAS)
def test_changes_are_no_failure_of_a_preview_and_everything_else_is(
    tmp_path: Path, ci: Ci, code: int, passes: bool
) -> None:
    """A function stands for the command, as only its exit code matters to the shell."""
    script = _scripts(ci, _read(tmp_path, ci, Target.DOCKER))[0]
    lines = script[script.index("curtainup preview") :]
    environ = {**os.environ, "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    told = f"curtainup() {{ echo plan; return {code}; }}\n{lines}"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", told], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is passes


@pytest.mark.parametrize("ci", SCHEMAS)
def test_without_a_passphrase_a_job_says_so_and_ends(tmp_path: Path, ci: Ci) -> None:
    script = _scripts(ci, _read(tmp_path, ci, Target.DOCKER))[0].lstrip()
    guard = script.splitlines()[0]
    environ = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": ""}
    environ.pop("PULUMI_ACCESS_TOKEN", None)
    done = subprocess.run(["bash", "-c", guard], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PULUMI_CONFIG_PASSPHRASE: is not set" in done.stderr
    given = {**environ, "PULUMI_CONFIG_PASSPHRASE": "x"}
    assert subprocess.run(["bash", "-c", guard], env=given, check=False).returncode == 0


@pytest.mark.parametrize(("job", "who"), [(0, "preview"), (1, "deployer")])
@pytest.mark.parametrize("ci", [Ci.GITLAB, Ci.BITBUCKET])
def test_googles_library_takes_the_login_that_a_job_writes(
    tmp_path: Path, ci: Ci, job: int, who: str
) -> None:
    lines = _scripts(ci, _read(tmp_path, ci, Target.CLOUD_RUN))[job]
    begins = "export GCP_SERVICE_ACCOUNT" if who == "preview" else "export GOOGLE_APPLICATION_CREDENTIALS"
    start, end = lines.index(begins), lines.index("\nEND\n") + len("\nEND\n")
    provider = "projects/1/locations/global/workloadIdentityPools/ci/providers/ci"
    environ = {
        **os.environ,
        "GCP_WORKLOAD_IDENTITY_PROVIDER": provider,
        "GCP_SERVICE_ACCOUNT": "deployer@books.iam.gserviceaccount.com",
        "GCP_PREVIEW_SERVICE_ACCOUNT": "preview@books.iam.gserviceaccount.com",
        workflows._token(ci, "gcp"): "token",
    }
    (tmp_path / ".curtainup-tools").mkdir()
    subprocess.run(["bash", "-euc", lines[start:end]], env=environ, cwd=tmp_path, check=True)

    file = tmp_path / ".curtainup-tools" / "google.json"
    credentials = identity_pool.Credentials.from_file(str(file))  # type: ignore[no-untyped-call]
    assert credentials.service_account_email == f"{who}@books.iam.gserviceaccount.com"
    assert json.loads(file.read_text())["audience"] == f"//iam.googleapis.com/{provider}"


@pytest.mark.parametrize("ci", [Ci.GITLAB, Ci.BITBUCKET])
def test_the_login_to_amazon_is_what_the_sdks_look_for(tmp_path: Path, ci: Ci) -> None:
    lines = _scripts(ci, _read(tmp_path, ci, Target.BEANSTALK))[0].splitlines()
    login = [line for line in lines if "AWS_WEB_IDENTITY_TOKEN_FILE" in line]
    assert len(login) == 2
    (tmp_path / ".curtainup-tools").mkdir()
    told = 'echo "$AWS_REGION $(cat "$AWS_WEB_IDENTITY_TOKEN_FILE")"'
    done = subprocess.run(
        ["bash", "-euc", "\n".join([*login, told])],
        env={**os.environ, workflows._token(ci, "aws"): "token"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "eu-north-1 token\n"


@pytest.mark.parametrize("ci", SCHEMAS)
def test_what_is_chosen_is_what_a_job_needs(tmp_path: Path, ci: Ci) -> None:
    names = {
        StateKind.S3: {"AWS_ROLE_ARN", "PULUMI_CONFIG_PASSPHRASE"},
        StateKind.GCS: {"GCP_SERVICE_ACCOUNT", "PULUMI_CONFIG_PASSPHRASE"},
        StateKind.AZURE: {"AZURE_CLIENT_ID", "PULUMI_CONFIG_PASSPHRASE"},
        StateKind.POSTGRES: {"PGPASSWORD", "PULUMI_CONFIG_PASSPHRASE"},
        StateKind.PULUMI: {"PULUMI_ACCESS_TOKEN"},
    }
    found = _found(tmp_path, Target.DOCKER)
    for kind, wanted in names.items():
        key = Key.TOKEN if kind is StateKind.PULUMI else Key.PASSPHRASE
        text = workflows.workflow(ci, replace(found, state=kind, key=key))
        head, _, body = text.partition("\n\n")
        for name in set().union(*names.values()):
            assert (f"#   {name} (" in head) is (name in wanted), (kind, name)
        if ci is Ci.GITHUB:
            assert {one for one in wanted if one in body} == wanted
            assert ("id-token: write" in body) is (kind.value in ("s3", "gcs", "azure"))


@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_key_of_a_cloud_needs_no_passphrase(tmp_path: Path, ci: Ci) -> None:
    found = replace(_found(tmp_path, Target.DOCKER), state=StateKind.S3, key=Key.CLOUD)
    text = workflows.workflow(ci, found)
    assert "PASSPHRASE" not in text
    assert "PULUMI_ACCESS_TOKEN" not in text


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("ci", SCHEMAS)
def test_what_a_machine_does_not_keep_itself_is_cached(tmp_path: Path, ci: Ci, target: Target) -> None:
    found = _found(tmp_path, target)
    for one, hosted in (
        (found, target is not Target.DOCKER),
        (replace(found, host="ssh://a@b.example"), True),
    ):
        text = workflows.workflow(ci, one)
        assert ("cache" in text) is hosted
        assert "passphrases" not in text
        assert "credentials.json" not in text


def test_a_step_that_github_stops_is_curtainup_itself_and_its_lock_is_freed(tmp_path: Path) -> None:
    found = _found(tmp_path, Target.CLOUD_RUN)
    jobs = yaml.safe_load(workflows.workflow(Ci.GITHUB, found, reviews=True))["jobs"]
    for name in ("deploy", "review", "review-closed", "sweep"):
        *_, work, unlock = jobs[name]["steps"]
        assert work["run"].startswith("exec curtainup "), name
        assert unlock["if"] == "cancelled()"
        assert unlock["run"] == "curtainup unlock --if-gone --wait 3m"


@pytest.mark.parametrize("status", ["success", "canceled", "failed"])
def test_a_job_of_gitlab_that_ended_otherwise_than_well_frees_its_lock(tmp_path: Path, status: str) -> None:
    workflow = _read(tmp_path, Ci.GITLAB, Target.CLOUD_RUN)
    *_, line = workflow[".curtainup"]["after_script"]
    told = f'curtainup() {{ echo "$@"; }}\n{line}'
    done = subprocess.run(
        ["bash", "-euc", told],
        env={**os.environ, "CI_JOB_STATUS": status},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ("" if status == "success" else "unlock --if-gone --wait 3m\n")


@pytest.mark.parametrize("certificate", ["", "ssh-ed25519-cert-v01@openssh.com AAAA"])
@pytest.mark.parametrize("ci", SCHEMAS)
def test_ssh_takes_the_key_of_the_job_and_no_host_but_the_pinned_one(
    tmp_path: Path, ci: Ci, certificate: str
) -> None:
    found = replace(_found(tmp_path / "service", Target.DOCKER), host="ssh://deploy@shop.example.com:2222")
    script = _scripts(ci, yaml.safe_load(workflows.workflow(ci, found)))[1]
    start, end = script.index("# The key or certificate is the job's"), script.index("\n)\n") + 3
    home = tmp_path / "home"
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\na\n-----END OPENSSH PRIVATE KEY-----\n"
    (tmp_path / "key").write_text(key)
    told = {Ci.GITHUB: key, Ci.GITLAB: str(tmp_path / "key"), Ci.BITBUCKET: b64encode(key.encode()).decode()}[
        ci
    ]
    given = {"SSH_PRIVATE_KEY": told, "SSH_KNOWN_HOSTS": "[shop.example.com]:2222 ssh-ed25519 AAAA"}
    environ = {**os.environ, "HOME": str(home), "SSH_CERTIFICATE": certificate, **given}
    subprocess.run(["bash", "-euc", script[start:end]], env=environ, check=True)
    subprocess.run(["bash", "-euc", script[start:end]], env=environ, check=True)

    folder = home / ".ssh"
    shown = subprocess.run(
        ["ssh", "-F", folder / "config", "-G", "shop.example.com"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in (
        "batchmode yes",
        "stricthostkeychecking true",
        f"userknownhostsfile {folder}/curtainup-hosts",
        "globalknownhostsfile /dev/null",
        f"identityfile {folder}/curtainup",
    ):
        assert line in shown
    assert (folder / "curtainup").read_text().strip() == key.strip()
    assert (folder / "curtainup").stat().st_mode & 0o777 == 0o600
    assert (folder / "curtainup-cert.pub").exists() is bool(certificate)
    assert '"ssh://deploy@shop.example.com:2222"' in workflows.workflow(ci, found)


@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_kubeconfig_is_taken_as_the_ci_system_holds_it(tmp_path: Path, ci: Ci) -> None:
    script = _scripts(ci, _read(tmp_path / "service", ci, Target.KUBERNETES))[1]
    start, end = script.index("# The kubeconfig is the job's"), script.index("\n)\n") + 3
    led = next(line for line in script[end:].splitlines() if "KUBECONFIG=" in line)
    text = "apiVersion: v1\nkind: Config\nclusters: []\n"
    (tmp_path / "file").write_text(text)
    told = {
        Ci.GITHUB: text,
        Ci.GITLAB: str(tmp_path / "file"),
        Ci.BITBUCKET: b64encode(text.encode()).decode(),
    }
    environ = {**os.environ, "HOME": str(tmp_path), "KUBE_CONFIG": told[ci]}
    environ["GITHUB_ENV"] = str(tmp_path / "env")
    subprocess.run(["bash", "-euc", f"{script[start:end]}{led}"], env=environ, check=True)

    written = tmp_path / ".kube" / "curtainup"
    assert written.read_text().strip() == text.strip()
    assert written.stat().st_mode & 0o777 == 0o600
    if ci is Ci.GITHUB:
        assert (tmp_path / "env").read_text() == f"KUBECONFIG={written}\n"
    else:
        assert led == 'export KUBECONFIG="$HOME/.kube/curtainup"'


@pytest.mark.parametrize("ci", SCHEMAS)
def test_without_a_kubeconfig_a_job_says_so_and_ends(tmp_path: Path, ci: Ci) -> None:
    script = _scripts(ci, _read(tmp_path, ci, Target.KUBERNETES))[0]
    line = next(one for one in script.splitlines() if "KUBE_CONFIG:?" in one)
    environ = {**os.environ, "KUBE_CONFIG": ""}
    done = subprocess.run(["bash", "-uc", line], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "KUBE_CONFIG: is not set" in done.stderr


@pytest.mark.parametrize("registry", ["", "registry.example.com"])
@pytest.mark.parametrize("ci", SCHEMAS)
def test_a_registry_that_wants_a_login_gets_one_once_docker_runs(
    tmp_path: Path, ci: Ci, registry: str
) -> None:
    """A function stands for Docker, which on some machines only `doctor --fix` brings."""
    script = _scripts(ci, _read(tmp_path, ci, Target.KUBERNETES))[1]
    line = next(one for one in script.splitlines() if "docker login" in one)
    assert script.index("curtainup doctor --fix") < script.index(line)
    given = {"REGISTRY": registry, "REGISTRY_USER": "ci", "REGISTRY_PASSWORD": "hidden"}
    told = f'docker() {{ echo "$@"; cat; }}\n{line}'
    done = subprocess.run(
        ["bash", "-euc", told], env={**os.environ, **given}, capture_output=True, text=True, check=True
    )
    login = f"login --username ci --password-stdin {registry}\nhidden"
    if ci is Ci.GITHUB:
        [step] = [
            one
            for one in _read(tmp_path, ci, Target.KUBERNETES)["jobs"]["deploy"]["steps"]
            if one.get("run") == line
        ]
        assert step["if"] == "vars.REGISTRY != ''"
    else:
        assert done.stdout == (login if registry else "")


def test_every_target_can_be_initialised() -> None:
    assert {one.value for one in Target} == set(TARGETS)


@pytest.mark.parametrize("ci", SCHEMAS)
@pytest.mark.parametrize("name", ["SSH_PRIVATE_KEY", "SSH_KNOWN_HOSTS"])
def test_without_a_key_or_a_pinned_host_a_job_says_so_and_ends(tmp_path: Path, ci: Ci, name: str) -> None:
    found = replace(_found(tmp_path / "service", Target.DOCKER), host="ssh://deploy@shop.example.com")
    script = _scripts(ci, yaml.safe_load(workflows.workflow(ci, found)))[1]
    line = next(one for one in script.splitlines() if "SSH_PRIVATE_KEY:?" in one)
    environ = {**os.environ, "SSH_PRIVATE_KEY": "x", "SSH_KNOWN_HOSTS": "x", name: ""}
    done = subprocess.run(["bash", "-uc", line], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{name}: is not set" in done.stderr


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("ssh://deploy@Shop_1/run/user/1000/docker.sock", "Shop_1"),
        ("ssh://deploy@[2001:db8::1]:2222", "2001:db8::1"),
    ],
)
def test_the_host_is_written_as_ssh_is_called_with_it(tmp_path: Path, address: str, host: str) -> None:
    """SSH compares an alias letter by letter."""
    found = replace(_found(tmp_path / "service", Target.DOCKER), host=address)
    assert f"Host {host}\n" in workflows.workflow(Ci.GITHUB, found)
