"""What the doctor looks at of a project on Google Cloud; nothing is changed there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import yaml

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.model.targets.cloud_run import APIS, SCHEDULER_API
from curtainup.platforms.google import account as google
from curtainup.platforms.google.account import project_of
from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.setup import extras
from curtainup.setup.paths import program_dir
from curtainup.targets import plugin_check
from curtainup.targets.cloud_run import READY_SECONDS, preflight, unseen
from curtainup.targets.grouping import Grouped, grouped

ROLE = "docs/cloud-run-role.yaml"
SDK = "Google Cloud SDK"
DISABLED = "SERVICE_DISABLED"
ACT_AS = "iam.serviceAccounts.actAs"
SHORTEST, LONGEST = 6, 30
"""Characters of a service account's id; beyond them it is another one than the service's name."""
ENABLED = tuple(f"{name}.googleapis.com" for name in sorted((*APIS, "iamcredentials", "sts")))
"""The APIs that a deployment and its login use."""
SCHEDULER = f"{SCHEDULER_API}.googleapis.com"
FOR_SCHEDULES = ("cloudscheduler.", "run.executions.list", "run.jobs.getIamPolicy", "run.jobs.setIamPolicy")
"""How permissions begin that only a service with schedules needs."""
AUDIENCE = "https://curtainup-doctor.a.run.app"
"""Of an identity token that is made to see whether it can be; no service is called with it."""


@dataclass(frozen=True)
class Place:
    """A project and a region of it."""

    project: str
    region: str


def of_service(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    """Return everything to look at for a service's environments on Cloud Run."""
    found = pieces(str(service.docker_repo), environments, service=service.name)
    return [*found, plugin_check.piece("gcp", needs=SDK)]


def pieces(
    docker_repo: str,
    environments: Sequence[EnvironmentConfig],
    endpoints: Endpoints | None = None,
    service: str = "",
) -> list[Piece]:
    """Return what to look at for environments on Cloud Run.

    Args:
        docker_repo: of the service; the project's id.
        environments: those on Cloud Run.
        endpoints: of Google's APIs.
        service: its name, to ask Cloud Run whether it would take it; empty asks nothing.

    """
    sdk, account, project = SDK, "Google credentials", "Google project"
    name = project_of(docker_repo)
    api = cache(partial(_api, endpoints))
    places = grouped((one.environment, Place(name, str(one.gcp_region))) for one in environments)
    scheduled = [one for one in environments if one.schedule]
    starting = grouped((one.environment, Place(name, str(one.gcp_region))) for one in scheduled)
    return [
        Piece(sdk, _sdk),
        Piece(account, _credentials, needs=sdk),
        Piece(project, partial(_project, name, api), needs=account),
        *(_region(place, api, needs=project) for place in places),
        *(_scheduler(place, api, needs=project) for place in starting),
        Piece(
            "Google permissions",
            partial(
                _permissions,
                name,
                api,
                _accounts(service, environments, name),
                permissions(schedules=bool(scheduled)),
            ),
            needs=project,
            deploys=True,
        ),
        *(
            Piece(
                f"Cloud Run service ({one.environment})",
                partial(_taken, service, name, one, api),
                needs=project,
            )
            for one in environments
            if service
        ),
        Piece("Google identity token", _identity, needs=account, deploys=True),
    ]


def permissions(*, schedules: bool = True) -> list[str]:
    """Return the permissions of the role that docs/cloud-run.md has a deployer given.

    Args:
        schedules: whether those are among them that only schedules need.

    """
    role = yaml.safe_load((program_dir() / ROLE).read_text())
    found = [str(one) for one in role["includedPermissions"]]
    return [one for one in found if schedules or not one.startswith(FOR_SCHEDULES)]


def _region(place: Grouped[Place], api: Callable[[], Api], needs: str) -> Piece:
    return Piece(f"Cloud Run region{place.suffix}", partial(_offered, place.value, api), needs=needs)


def _scheduler(place: Grouped[Place], api: Callable[[], Api], needs: str) -> Piece:
    return Piece(f"Cloud Scheduler{place.suffix}", partial(_starts, place.value, api), needs=needs)


def _starts(place: Place, api: Callable[[], Api]) -> Found:
    """Look whether Cloud Scheduler is enabled, and offered in a region."""
    try:
        regions = api().scheduler_regions(place.project)
    except Refused as refused:
        if refused.reason == DISABLED:
            enable = f"gcloud services enable --project {place.project} {SCHEDULER}"
            return Found(None, f"{place.region}: not asked, as Cloud Scheduler is not enabled yet", enable)
        raise SetupError(
            "Cloud Scheduler does not say which regions it offers",
            fix=_grant(place.project),
            detail=refused.message,
        ) from refused
    if place.region not in regions:
        raise preflight.no_scheduler(place.region)
    return Found(None, f"starts the schedules in {place.region}")


def _sdk() -> Found:
    extras.require(extras.GCP)
    found = extras.versions(extras.GCP)
    return Found(found["pulumi-gcp"], ", ".join(f"{name} {version}" for name, version in found.items()))


def _credentials() -> Found:
    return Found(None, google.holder())


def _api(endpoints: Endpoints | None) -> Api:
    headers: dict[str, str] = {}
    google.credentials().apply(headers)
    return Api(headers, endpoints)


def _project(name: str, api: Callable[[], Api]) -> Found:
    try:
        found = api().project(name)
    except Refused as refused:
        raise _no_project(name, refused) from refused
    project, state = found["projectId"], found.get("lifecycleState")
    if project != name:
        raise SetupError(
            f"{name} is not the id of a project; the project's id is {project}",
            where="docker_repo in pym-config.yaml",
            fix=f"write docker_repo: {project}",
        )
    if state != "ACTIVE":
        raise SetupError(f"project {name} is {state}", fix=f"gcloud projects undelete {name}")
    return Found(None, f"{project}, number {found.get('projectNumber')}")


def _no_project(name: str, refused: Refused) -> SetupError:
    if refused.reason == DISABLED:
        return SetupError(
            "the Resource Manager API is not enabled",
            fix=f"gcloud services enable --project {name} cloudresourcemanager.googleapis.com "
            "serviceusage.googleapis.com iam.googleapis.com",
            detail=refused.message,
        )
    return SetupError(
        f"there is no project {name}, or the credentials may not see it",
        where="docker_repo in pym-config.yaml",
        fix=f"write the id that `gcloud projects list` shows, or {_grant(name)}",
        detail=refused.message,
    )


def _grant(project: str) -> str:
    return (
        f"give the deployer the role: gcloud projects add-iam-policy-binding {project} "
        f"--member serviceAccount:DEPLOYER --role projects/{project}/roles/curtainupCloudRun"
    )


def _offered(place: Place, api: Callable[[], Api]) -> Found:
    try:
        regions = api().regions(place.project)
    except Refused as refused:
        if refused.reason == DISABLED:
            return Found(None, f"{place.region}: not asked, as Cloud Run is not enabled yet", _enable(place))
        raise SetupError(
            f"Cloud Run does not say which regions it offers {place.project}",
            fix=f"gcloud services enable --project {place.project} run.googleapis.com, or "
            f"{_grant(place.project)}",
            detail=refused.message,
        ) from refused
    if place.region not in regions:
        raise SetupError(
            f"Cloud Run does not offer {place.project} the region {place.region}",
            where="gcp_region in pym-config.yaml",
            fix="write one that `gcloud run regions list` shows",
        )
    return Found(None, place.region)


def _enable(place: Place) -> str:
    enable = f"gcloud services enable --project {place.project} {' '.join(ENABLED)}"
    return f"{enable}, some minutes before the first deployment"


def _taken(service: str, project: str, config: EnvironmentConfig, api: Callable[[], Api]) -> Found:
    """Ask Cloud Run whether it would take an environment: its sizes, and what quota and policies say."""
    place = preflight.configured(service, project, config, READY_SECONDS)
    name = f"{service}-{config.environment}"
    exists = unseen.is_there(api(), place)
    refused = preflight.ask(api(), place, preflight.runtime(config), exists=exists)
    if refused is None:
        return Found(None, f"Cloud Run takes {name}")
    found = preflight.judged(refused, place)
    if found is not None:
        raise found
    return Found(None, f"not known: {refused.message}", "a deployment enables and makes what is missing")


def _accounts(service: str, environments: Sequence[EnvironmentConfig], project: str) -> list[str]:
    """Return the addresses of the environments' service accounts, of names that need not be shortened."""
    names = [f"{service}-{one.environment}" for one in environments]
    names += [f"{service}-{one.environment}-scheduler" for one in environments if one.schedule]
    return [f"{one}@{project}.iam.gserviceaccount.com" for one in names if SHORTEST <= len(one) <= LONGEST]


def _may_act_as(project: str, accounts: Sequence[str], api: Callable[[], Api]) -> bool:
    """Return whether the right to act as a service account, which the project lacks, is on each account."""
    try:
        return bool(accounts) and all(api().granted_on_account(project, one, ACT_AS) for one in accounts)
    except Refused:
        return False


def _permissions(
    project: str, api: Callable[[], Api], accounts: Sequence[str], wanted: Sequence[str]
) -> Found:
    try:
        granted = api().granted(project, [*wanted])
    except Refused as refused:
        return Found(
            None, f"not known: {refused.message}", f"compare the deployer's role with {program_dir() / ROLE}"
        )
    missing = [one for one in wanted if one not in granted]
    if missing == [ACT_AS] and _may_act_as(project, accounts, api):
        return Found(None, f"all {len(wanted)} of {ROLE}, {ACT_AS} on the service accounts alone")
    if missing:
        raise SetupError(
            f"{len(missing)} of {len(wanted)} permissions on {project} are missing",
            fix=f"gcloud iam roles update curtainupCloudRun --project {project} "
            f"--file {program_dir() / ROLE} (create, the first time), and {_grant(project)}",
            detail="\n".join(missing),
        )
    return Found(None, f"all {len(wanted)} of {ROLE}")


def _identity() -> Found:
    try:
        google.RealGoogle().identity_token(AUDIENCE)
    except SetupError as error:
        where = "needed for the first release of an environment alone"
        raise SetupError(error.what, where=where, fix=error.fix, detail=error.detail) from error
    return Found(None, "for the tests of a first release")
