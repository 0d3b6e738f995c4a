"""What Google Cloud refuses, by its own words, and what that means for a deployment.

The words come from the sources that are named beside each. They are recognised by the part that says why;
what is around them differs with the provider and the API.
"""

from __future__ import annotations

from curtainup.errors import CurtainupError
from curtainup.targets.refusal import Refusal, first, meaning, passes, refusal

# terraform-provider-google, website/docs/guides/google_project_service.html.markdown
DISABLED = refusal(
    r"has not been used in project \S+ before or it is disabled",
    "an API is not enabled, or was enabled only just now",
    "wait a few minutes and deploy again; docs/cloud-run.md has the command that enables all of them",
    passes=True,
)

REFUSALS = (
    # sourcegraph/sourcegraph-public-snapshot#59045, terraform-google-modules/terraform-docs-samples#168
    refusal(
        r"Permission denied on secret: ",
        "the containers may not read one of their secrets yet",
        "wait some minutes and deploy again: the grant is made and stays, and takes effect by itself; if it "
        "does not, an organisation policy or somebody else took it away",
        unhealthy=True,
        passes=True,
    ),
    # https://cloud.google.com/run/docs/troubleshooting
    refusal(
        r"must have permission to read the image",
        "Cloud Run's own agent may not read the image yet",
        "if Cloud Run was enabled in the project only just now, wait some minutes and deploy again; else let "
        "its service agent read the repository of the image (roles/artifactregistry.reader)",
        unhealthy=True,
        passes=True,
    ),
    refusal(
        r"Image '[^']+' not found",
        "Cloud Run does not find the image",
        "see whether the image was removed from its repository; `curtainup deploy` builds it again",
        unhealthy=True,
    ),
    # LayerZero-Labs/gasolina-gcp#15, GoogleCloudPlatform/genai-for-marketing#153
    refusal(
        r"One or more users named in the policy do not belong to a permitted customer",
        "the organisation's policy forbids grants to allUsers (domain restricted sharing)",
        "remove gcp_public_grant from pym-config.yaml: the service's own setting needs no grant",
    ),
    # https://cloud.google.com/run/docs/authenticating/public, constraint run.managed.requireInvokerIam
    refusal(
        r"invoker_iam_disabled is not currently available|run\.managed\.requireInvokerIam",
        "the organisation's policy forbids services that ask nobody who they are",
        "write `gcp_public_grant: true` in pym-config.yaml, or ask for an exception for the project",
    ),
    # knative/serving#13565, pipe-cd/pipecd#2480, googleapis/google-cloud-python#14259
    refusal(
        r"Revision named '[^']+' with different configuration already exists",
        "somebody, or another version of curtainup, made the revision with other contents",
        "deploy again: the release then gets a name of its own",
    ),
    # jspsych/datapipe#238, googlecodelabs/feedback#1856, #2311 and #1210, firebase/firebase-tools#5867
    refusal(
        r"Max instances must be set to \d+ or fewer|maxScale may not exceed \d+|total allowable CPU per",
        "the project's quota does not allow so many containers of this size",
        "lower gcp_max_instances (Google says to how many), cpus or gcp_memory, or ask Google for more quota",
    ),
    # googleapis/repo-automation-bots#3875, google/osv.dev#2800
    refusal(
        r"Invalid value specified for (container )?(memory|cpu)",
        "Cloud Run has no container of this size",
        "write another gcp_memory or cpus; docs/cloud-run.md has the pairs",
    ),
    # GoogleCloudPlatform/cloud-run-release-manager#81
    refusal(
        r"'iam\.serviceaccounts\.actAs' denied on service account",
        "the deployer may not give the containers their identity",
        "grant the deployer roles/iam.serviceAccountUser on that service account; "
        "`curtainup doctor` names what is missing",
        passes=True,
    ),
    # hashicorp/terraform-provider-google#16591, GoogleCloudPlatform/terraform-google-log-analysis#25
    refusal(
        r"Error 409: .*already exists",
        "something of that name is there that Pulumi does not know",
        "somebody made it, its state was lost, or an answer of Google's got lost: look at it, and remove it "
        "with gcloud if nobody needs it; then deploy again",
    ),
    # hashicorp/terraform-provider-google#7001
    refusal(
        r'lacks IAM permission "cloudscheduler\.jobs\.create"',
        "Cloud Scheduler is not offered in the region, or the deployer may not have it call anything",
        "see whether `gcloud scheduler locations list` has the region, and compare the deployer's role with "
        "docs/cloud-run-role.yaml: `curtainup doctor` looks at both",
    ),
    # GoogleCloudPlatform/terraform-google-cloud-run#28
    refusal(
        r"Service Agent does not have permission to get access tokens",
        "Cloud Run's own agent may not act as the containers' account yet",
        "if Cloud Run was enabled in the project only just now, wait some minutes and deploy again; else "
        "give its service agent its role back (roles/run.serviceAgent)",
        passes=True,
    ),
    # Liscor/terraform_dataform_ga4_pipeline#1, hashicorp/vault-plugin-secrets-gcp#237
    refusal(
        r"Error 400: Service account \S+ does not exist",
        "a service account that was just made is not known everywhere yet",
        "wait some minutes and deploy again; if it stays so, somebody removed the account",
        passes=True,
    ),
    # firebase/firebase-tools#4871
    refusal(
        r"Permission denied to enable service \[",
        "the deployer may not enable an API",
        "enable all of them once, by the command in docs/cloud-run.md, or give the deployer the role "
        "that is there",
    ),
    # GoogleCloudPlatform/deploystack#52
    refusal(
        r"Billing account for project '[^']+' is not found",
        "the project has no billing account",
        "link one: gcloud billing projects link PROJECT --billing-account ACCOUNT",
    ),
    # barthr/Identicon#2
    refusal(
        r"Permission denied on 'locations/[^']+'",
        "Cloud Run is not offered in the region, or not to this project",
        "write another gcp_region: `gcloud run regions list` shows them",
    ),
    # terraform-google-modules/terraform-example-foundation#940
    refusal(
        r"Permission denied on resource project",
        "there is no such project, or the deployer may not see it",
        "write the id of the project in docker_repo, as `gcloud projects list` shows it, or give the "
        "deployer its role there",
    ),
    # google-github-actions/deploy-cloudrun#182 and #427
    refusal(
        r"Permission '[\w.]+' denied on resource",
        "the deployer lacks a permission, or the project does not exist",
        "`curtainup doctor` names what is missing, and the command that brings it; a grant takes minutes "
        "until it is enforced",
    ),
    refusal(
        r"lacks IAM permission \"",
        "the deployer lacks a permission",
        "`curtainup doctor` names what is missing, and the command that brings it",
    ),
    # hashicorp/terraform#31571, premisedata/gcp-tutorials#12
    refusal(
        r"Schedule or time zone is invalid",
        "Cloud Scheduler does not take the cron line or the time zone of a schedule",
        "write numbers in `cron`, and a `timezone` with an area and a city, such as Europe/Stockholm",
    ),
    DISABLED,
    # sourcegraph/sourcegraph-public-snapshot#59045: the revision's own words follow
    refusal(
        r"Revision '[^']+' is not ready and cannot serve traffic",
        "the revision did not become ready",
        "mend what its log says, or give it more time (start_timeout) or memory (gcp_memory)",
        unhealthy=True,
    ),
)
"""The first that fits counts: what a revision is not ready for stands in the rest of its message."""


IMAGE_GONE = "does not find the image"
"""What is never foreseen: a question names another image than the release has."""


def foreseen(text: str) -> Refusal | None:
    """Return the refusal that a deployment would meet, by what Google answers to a question; None if none.

    What passes within minutes, or by the deployment itself, is none.
    """
    found = first(text, REFUSALS)
    return None if found is None or found.passes or IMAGE_GONE in found.what else found


def is_too_early(error: CurtainupError) -> bool:
    """Return whether Google refuses only because what was enabled, made or granted has no effect yet."""
    return passes(error, REFUSALS)


def explained(error: CurtainupError, where: str) -> CurtainupError:
    """Return the error that says what Google's refusal means; the same error if it is none that is known."""
    return meaning(error, where, REFUSALS)
