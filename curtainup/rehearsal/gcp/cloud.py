"""The stand-in of the `gcp` provider: which resource types and functions it has."""

from __future__ import annotations

from collections.abc import Mapping

from curtainup.rehearsal.gcp.artifact_registry import Repository
from curtainup.rehearsal.gcp.cloud_run.job import Job, JobIamMember
from curtainup.rehearsal.gcp.cloud_run.service import Service as CloudRunService
from curtainup.rehearsal.gcp.cloud_run.service import ServiceIamMember
from curtainup.rehearsal.gcp.gke.address import GlobalAddress
from curtainup.rehearsal.gcp.gke.certificates import Certificate, CertificateMap, CertificateMapEntry
from curtainup.rehearsal.gcp.gke.cluster import Cluster
from curtainup.rehearsal.gcp.project import Account, Member, project_facts
from curtainup.rehearsal.gcp.project import Service as Api
from curtainup.rehearsal.gcp.scheduler.job import Job as SchedulerJob
from curtainup.rehearsal.gcp.secret_manager import Secret, SecretIamMember, SecretVersion
from curtainup.rehearsal.kind import Cloud, CloudError, Function, Kind, Properties


def _project(cloud: Cloud, arguments: Properties) -> Properties:
    project = arguments.get("projectId") or cloud.config.get("project")
    if not project:
        raise CloudError("project: required field is not set")
    return project_facts(str(project))


KINDS: tuple[type[Kind], ...] = (
    Account,
    Api,
    Certificate,
    CertificateMap,
    CertificateMapEntry,
    CloudRunService,
    Cluster,
    GlobalAddress,
    Job,
    JobIamMember,
    Member,
    Repository,
    SchedulerJob,
    Secret,
    SecretIamMember,
    SecretVersion,
    ServiceIamMember,
)

FUNCTIONS: Mapping[str, Function] = {"gcp:organizations/getProject:getProject": _project}
