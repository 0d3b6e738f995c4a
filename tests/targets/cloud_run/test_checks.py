from __future__ import annotations

import pytest

from curtainup.commands.doctor.machine import look_at
from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.model.checks import Check, Piece
from curtainup.platforms.google.api import Api, Endpoints
from curtainup.targets.cloud_run import checks as google_checks
from tests.accounts.google_account import DENIED, DISABLED, EMAIL, TOKEN, Project, refusal
from tests.accounts.servers import Answer

pytestmark = pytest.mark.usefixtures("nobody")

ALL = [
    "Google Cloud SDK",
    "Google credentials",
    "Google project",
    "Cloud Run region",
    "Google permissions",
    "Google identity token",
]


CLEANUP = {"cleanup": {"command": "work", "cron": "0 3 * * *"}}


def _environments(
    region: str = "europe-west1", live: str | None = None, schedule: object = None
) -> list[EnvironmentConfig]:
    config = ServiceConfig.model_validate(
        {
            "name": "shop",
            "deploy_target": "gcp-cloud-run",
            "docker_repo": "my-project",
            "gcp_region": region,
            "environments": {"live": {"gcp_region": live or region, "schedule": schedule or {}}},
        }
    )
    return [config.for_environment(name) for name in ("staging", "live")]


def _pieces(endpoints: Endpoints | None = None, repo: str = "my-project") -> list[Piece]:
    return google_checks.pieces(repo, _environments(), endpoints)


def _checked(endpoints: Endpoints, name: str, repo: str = "my-project") -> Check:
    return next(one for one in look_at(_pieces(endpoints, repo)) if one.name == name)


def test_a_deployer_with_the_role_is_fine(google: Endpoints, project: Project) -> None:
    checks = look_at(_pieces(google))
    assert [check.name for check in checks] == ALL
    assert [check for check in checks if not check.ok or check.fix] == []
    details = [check.detail for check in checks[1:]]
    assert details == [
        EMAIL,
        "my-project, number 123",
        "europe-west1",
        f"all {len(google_checks.permissions(schedules=False))} of docs/cloud-run-role.yaml",
        "for the tests of a first release",
    ]
    assert {request.method for request in project.asked} == {"GET", "POST"}


def test_regions_of_several_environments_are_looked_at_apart(google: Endpoints) -> None:
    pieces = google_checks.pieces("my-project", _environments("us-east1", "asia-east1"), google)
    checks = [check for check in look_at(pieces) if "region" in check.name]
    assert [(check.name, check.ok) for check in checks] == [
        ("Cloud Run region (staging)", True),
        ("Cloud Run region (live)", False),
    ]
    assert checks[1].detail is not None
    assert checks[1].detail.splitlines() == [
        "Cloud Run does not offer my-project the region asia-east1",
        "gcp_region in pym-config.yaml",
    ]


def test_without_credentials_the_rest_is_not_looked_at() -> None:
    checks = look_at(_pieces())
    assert [check.ok for check in checks] == [True, *[False] * 5]
    assert checks[1].detail is not None
    assert checks[1].detail.startswith("there are no Google Cloud credentials")
    assert {check.detail for check in checks[2:]} == {"not looked at"}
    assert all(check.fix for check in checks[1:])


@pytest.mark.parametrize(
    "refused", [DENIED, refusal(404, "NOT_FOUND", "The resource was not found")], ids=["403", "404"]
)
def test_a_project_that_is_not_there_looks_like_one_that_may_not_be_seen(
    google: Endpoints, project: Project, refused: Answer
) -> None:
    project.refusals["/my-project"] = refused
    check = _checked(google, "Google project")
    assert not check.ok
    assert str(check.detail).startswith("there is no project my-project, or the credentials may not see it")
    assert "gcloud projects list" in str(check.fix)
    assert "roles/curtainupCloudRun" in str(check.fix)


def test_an_api_that_is_not_enabled_is_named(google: Endpoints, project: Project) -> None:
    project.refusals["/my-project"] = DISABLED
    check = _checked(google, "Google project")
    assert "gcloud services enable --project my-project cloudresourcemanager.googleapis.com" in str(check.fix)


def test_a_number_in_place_of_an_id_is_refused(google: Endpoints) -> None:
    check = _checked(google, "Google project", repo="123")
    assert str(check.detail).startswith("123 is not the id of a project; the project's id is my-project")
    assert check.fix == "write docker_repo: my-project"


def test_a_project_that_is_being_deleted_is_refused(google: Endpoints, project: Project) -> None:
    project.project["lifecycleState"] = "DELETE_REQUESTED"
    check = _checked(google, "Google project")
    assert (check.ok, check.fix) == (False, "gcloud projects undelete my-project")


def test_a_token_that_an_api_does_not_know_is_a_matter_of_the_credentials(
    google: Endpoints, project: Project
) -> None:
    project.refusals["/my-project"] = refusal(401, "UNAUTHENTICATED", "Request had invalid credentials.")
    check = _checked(google, "Google project")
    assert str(check.detail).startswith("Google does not accept the credentials")
    assert "gcloud auth application-default login" in str(check.fix)


@pytest.mark.usefixtures("google")
def test_an_api_that_is_not_reached_is_a_matter_of_the_network() -> None:
    nowhere = "http://127.0.0.1:9"
    check = _checked(Endpoints(nowhere, nowhere), "Google project")
    assert str(check.detail).startswith("cannot reach Google Cloud")
    assert "network" in str(check.fix)


def test_missing_permissions_are_listed_with_the_commands_that_give_them(
    google: Endpoints, project: Project
) -> None:
    project.granted -= {"run.services.setIamPolicy", "secretmanager.versions.add"}
    check = _checked(google, "Google permissions")
    assert not check.ok
    first, *missing = str(check.detail).splitlines()
    assert first.startswith("2 of ")
    assert missing == ["run.services.setIamPolicy", "secretmanager.versions.add"]
    assert "gcloud iam roles update curtainupCloudRun --project my-project" in str(check.fix)


def test_permissions_that_cannot_be_asked_for_are_advice(google: Endpoints, project: Project) -> None:
    project.refusals[":testIamPermissions"] = refusal(400, "INVALID_ARGUMENT", "Permission x is not valid")
    check = _checked(google, "Google permissions")
    assert (check.ok, check.detail) == (True, "not known: Permission x is not valid")
    assert "docs/cloud-run-role.yaml" in str(check.fix)


def test_cloud_run_can_be_enabled_before_the_first_deployment(google: Endpoints, project: Project) -> None:
    project.refusals["/locations"] = DISABLED
    check = _checked(google, "Cloud Run region")
    assert check.ok
    assert "not enabled yet" in str(check.detail)
    assert "run.googleapis.com" in str(check.fix)


def test_regions_that_may_not_be_listed_are_a_matter_of_the_role(google: Endpoints, project: Project) -> None:
    project.refusals["/locations"] = DENIED
    check = _checked(google, "Cloud Run region")
    assert not check.ok
    assert "roles/curtainupCloudRun" in str(check.fix)


def test_without_an_identity_a_first_release_could_not_be_tested(google: Endpoints, project: Project) -> None:
    project.token = Answer.of({"access_token": TOKEN, "expires_in": 3600})
    check = _checked(google, "Google identity token")
    assert not check.ok
    assert str(check.detail).splitlines()[:2] == [
        "the Google Cloud credentials give no identity token",
        "needed for the first release of an environment alone",
    ]
    assert "export GOOGLE_APPLICATION_CREDENTIALS=" in str(check.fix)


def test_more_permissions_than_one_call_takes_are_asked_in_several(
    google: Endpoints, project: Project
) -> None:
    many = [f"run.services.x{number}" for number in range(250)]
    project.granted = set(many[1:])
    api = Api({"Authorization": f"Bearer {TOKEN}"}, google)
    assert api.granted("my-project", many) == set(many[1:])
    assert len(project.asked) == 3


def _taken(google: Endpoints, environment: str = "live") -> Check:
    pieces = google_checks.pieces("my-project", _environments(), google, service="shop")
    return next(one for one in look_at(pieces) if one.name == f"Cloud Run service ({environment})")


def _asked(project: Project) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in project.asked if "/services" in one.path]


PLACE = "/v2/projects/my-project/locations/europe-west1/services"


def test_cloud_run_is_asked_whether_it_takes_each_environment(google: Endpoints, project: Project) -> None:
    assert (_taken(google).ok, _taken(google).detail) == (True, "Cloud Run takes shop-live")
    assert ("PATCH", f"{PLACE}/shop-live?validateOnly=true") in _asked(project)


def test_before_the_first_deployment_it_is_asked_as_for_a_new_one(
    google: Endpoints, project: Project
) -> None:
    project.refusals["services/shop-live"] = refusal(404, "NOT_FOUND", "Resource 'shop-live' was not found.")
    assert _taken(google).ok
    assert ("POST", f"{PLACE}?serviceId=shop-live&validateOnly=true") in _asked(project)


def test_what_cloud_run_would_refuse_is_told(google: Endpoints, project: Project) -> None:
    project.refusals["services/shop-live"] = refusal(404, "NOT_FOUND", "Resource 'shop-live' was not found.")
    project.refusals["/services"] = refusal(
        400, "INVALID_ARGUMENT", "Max instances must be set to 5 or fewer to set the requested total CPU."
    )
    check = _taken(google)
    assert not check.ok
    assert "lower gcp_max_instances" in str(check.fix)


def test_who_may_not_ask_is_told_so_and_not_stopped(google: Endpoints, project: Project) -> None:
    project.refusals["/services/shop-live"] = DENIED
    project.refusals["/services"] = DENIED
    check = _taken(google)
    assert (check.ok, check.detail) == (True, "not known: The caller does not have permission")


def test_the_right_to_act_as_the_containers_may_be_on_their_accounts_alone(
    google: Endpoints, project: Project
) -> None:
    project.granted -= {google_checks.ACT_AS}
    project.on_accounts = {google_checks.ACT_AS}
    pieces = google_checks.pieces("my-project", _environments(), google, service="shop")
    check = next(one for one in look_at(pieces) if one.name == "Google permissions")
    assert check.ok
    assert str(check.detail).endswith("iam.serviceAccounts.actAs on the service accounts alone")


def test_an_account_without_it_is_missing_it(google: Endpoints, project: Project) -> None:
    project.granted -= {google_checks.ACT_AS}
    pieces = google_checks.pieces("my-project", _environments(), google, service="shop")
    check = next(one for one in look_at(pieces) if one.name == "Google permissions")
    assert not check.ok
    assert google_checks.ACT_AS in str(check.detail)


def _with_schedules(google: Endpoints, name: str, region: str = "europe-west1") -> Check:
    environments = _environments(region, schedule=CLEANUP)
    pieces = google_checks.pieces("my-project", environments, google, service="shop")
    return next(one for one in look_at(pieces) if one.name == name)


def test_only_schedules_need_what_schedules_need(google: Endpoints, project: Project) -> None:
    needed = set(google_checks.permissions())
    project.granted = set(google_checks.permissions(schedules=False))
    assert all("cloudscheduler" not in one for one in project.granted)
    assert "Cloud Scheduler" not in [check.name for check in look_at(_pieces(google))]
    assert _checked(google, "Google permissions").ok

    check = _with_schedules(google, "Google permissions")

    assert not check.ok
    missing = {line.strip() for line in str(check.detail).splitlines()} & needed
    assert missing == needed - project.granted
    assert {"cloudscheduler.jobs.create", "run.jobs.setIamPolicy", "run.executions.list"} <= missing


def test_the_account_that_calls_is_looked_at_too(google: Endpoints, project: Project) -> None:
    project.granted -= {google_checks.ACT_AS}
    project.on_accounts = {google_checks.ACT_AS}
    assert _with_schedules(google, "Google permissions").ok
    asked = [one.path.split("/")[-1] for one in project.asked if "serviceAccounts/" in one.path]
    assert "shop-live-scheduler@my-project.iam.gserviceaccount.com:testIamPermissions" in asked


def test_cloud_scheduler_has_to_be_in_the_region(google: Endpoints, project: Project) -> None:
    check = _with_schedules(google, "Cloud Scheduler")
    assert (check.ok, check.detail) == (True, "starts the schedules in europe-west1")
    project.scheduling = ["us-central1"]
    check = _with_schedules(google, "Cloud Scheduler")
    assert not check.ok
    assert "Cloud Scheduler is not offered in europe-west1" in str(check.detail)
    assert "gcloud scheduler locations list" in str(check.fix)


def test_where_cloud_scheduler_is_not_enabled_a_deployment_enables_it(
    google: Endpoints, project: Project
) -> None:
    project.refusals["/scheduler/v1/projects/my-project/locations"] = DISABLED
    check = _with_schedules(google, "Cloud Scheduler")
    assert check.ok
    assert "not enabled yet" in str(check.detail)
    assert str(check.fix).endswith("my-project cloudscheduler.googleapis.com")
    project.refusals["/scheduler/v1/projects/my-project/locations"] = DENIED
    assert not _with_schedules(google, "Cloud Scheduler").ok
