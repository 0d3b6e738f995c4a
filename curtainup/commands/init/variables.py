"""The variables that somebody has to set in a CI system, and which of them a job hands on."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.commands.init import files, state
from curtainup.commands.init.models import Ci, Found, Key, StateKind, Target
from curtainup.targets import extras_of


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
KEYS = {
    Key.PASSPHRASE: Setting(
        "PULUMI_CONFIG_PASSPHRASE",
        "opens the secrets in that state: a long random text; keep it",
        secret=True,
    ),
    Key.TOKEN: Setting("PULUMI_ACCESS_TOKEN", "a token of Pulumi's service, for this pipeline", secret=True),
}
GUARDS = {
    Key.PASSPHRASE: ': "${PULUMI_ACCESS_TOKEN:-'
    '${PULUMI_CONFIG_PASSPHRASE:?is not set: it opens the secrets in the state}}"',
    Key.TOKEN: ': "${PULUMI_ACCESS_TOKEN:?is not set: it opens the state in the service of Pulumi}"',
    Key.CLOUD: "",
}
"""The command with which a job ends at once if it cannot open the state; a cloud's key needs no variable."""
LOGINS = {
    "gcp": (
        Setting(
            "GCP_WORKLOAD_IDENTITY_PROVIDER",
            "projects/NUMBER/locations/global/workloadIdentityPools/…/providers/…",
        ),
        Setting("GCP_SERVICE_ACCOUNT", "the deployer's address, deployer@PROJECT.iam.gserviceaccount.com"),
        Setting(
            "GCP_PREVIEW_SERVICE_ACCOUNT",
            "who previews, and may only read: preview@PROJECT.iam.gserviceaccount.com",
        ),
    ),
    "aws": (
        Setting(
            "AWS_ROLE_ARN", "the deployer's role, arn:aws:iam::ACCOUNT:role/…, which trusts one job alone"
        ),
        Setting("AWS_PREVIEW_ROLE_ARN", "the role of previews, which may only read"),
    ),
    "azure": (
        Setting("AZURE_CLIENT_ID", "the id of the deployer's application, which trusts one job alone"),
        Setting("AZURE_PREVIEW_CLIENT_ID", "the id of the application of previews, which may only read"),
        Setting("AZURE_TENANT_ID", "the id of its tenant"),
        Setting("AZURE_SUBSCRIPTION_ID", "the id of the subscription with the storage account"),
    ),
}
IDENTITIES = {
    "gcp": ("GCP_SERVICE_ACCOUNT", "GCP_PREVIEW_SERVICE_ACCOUNT"),
    "aws": ("AWS_ROLE_ARN", "AWS_PREVIEW_ROLE_ARN"),
    "azure": ("AZURE_CLIENT_ID", "AZURE_PREVIEW_CLIENT_ID"),
}
"""The variables that say as whom a job logs in: to deploy, and to preview."""
POSTGRES = Setting("PGPASSWORD", "the password of the database's owner", secret=True)
SSH = (
    Setting("SSH_PRIVATE_KEY", "the key that may log in to the Docker host, and nowhere else", secret=True),
    Setting(
        "SSH_CERTIFICATE", "its certificate, if the host trusts an authority; else leave it out", secret=True
    ),
    Setting("SSH_KNOWN_HOSTS", "the host's own key: the line that ssh-keyscan gives, compared on the host"),
)
"""How a job reaches a Docker host by SSH."""


CLUSTER = (
    Setting(
        "KUBE_CONFIG",
        "a kubeconfig with the rights of docs/kubernetes-role.yaml, which leads to the cluster",
        secret=True,
    ),
    Setting("REGISTRY", "the host of the registry in docker_repo, if it wants a login"),
    Setting("REGISTRY_USER", "who may push there"),
    Setting("REGISTRY_PASSWORD", "the password or token of that user", secret=True),
)
"""How a job reaches a cluster, and the registry from which the cluster pulls."""


def settings(found: Found) -> tuple[Setting, ...]:
    """Return the variables that the workflow needs, in the order they are explained."""
    key = KEYS.get(found.key)
    return (
        Setting("PULUMI_BACKEND_URL", f"where Pulumi keeps its state: {_backend(found)}"),
        *((key,) if key else ()),
        *((POSTGRES,) if found.state is StateKind.POSTGRES else ()),
        *(one for cloud in clouds(found) for one in LOGINS[cloud]),
        *(SSH if found.host else ()),
        *(CLUSTER if Target.KUBERNETES in found.targets else ()),
        *(
            Setting(name, "a secret of the service, listed in env_secrets in pym-config.yaml", secret=True)
            for name in found.secrets
        ),
    )


def clouds(found: Found) -> list[str]:
    """Return the clouds that a job logs in to: those of the targets, and the one with the state."""
    own = state.CLOUDS.get(found.state) if found.state else None
    return sorted({*(LOGINS.keys() & extras_of(found.targets)), *([own] if own else [])})


def identity(cloud: str, *, preview: bool = False) -> str:
    """Return the variable that says as whom a job logs in to a cloud."""
    deployer, reader = IDENTITIES[cloud]
    return reader if preview else deployer


def explained(found: Found, kinds: dict[bool, str], comment: Setting | None = None) -> str:
    """Return the settings as comments; `comment` is what lets the preview write its own."""
    wanted = [*settings(found), *([comment] if comment else [])]
    return "\n".join(f"#   {one.name} ({kinds[one.secret]}): {one.meaning}" for one in wanted)


def on_github(found: Found) -> tuple[str, str]:
    """Return what hands the key of the state and the service's secrets to the jobs of GitHub Actions."""
    key = KEYS.get(found.key)
    lines = [_handed(key.name)] if key else []
    if found.key is Key.PASSPHRASE and found.state is None:
        other = KEYS[Key.TOKEN].name
        lines.append("# If the backend is Pulumi's own service, use this instead of the passphrase:")
        lines.append(f"# {_handed(other)}")
    others = (*((POSTGRES.name,) if found.state is StateKind.POSTGRES else ()), *found.secrets)
    return "\n".join(lines), "\n".join(map(_handed, others))


def _handed(name: str) -> str:
    return f"{name}: ${{{{ secrets.{name} }}}}"


def _backend(found: Found) -> str:
    if found.state is not None:
        return state.url(found)
    if files.ON_GOOGLE & found.targets:
        return "gs://BUCKET"
    if Target.BEANSTALK in found.targets:
        return f"s3://BUCKET?region={files.region(found)}"
    if Target.KUBERNETES in found.targets:
        return "a bucket, such as gs://BUCKET or s3://BUCKET?region=REGION"
    return "file:///var/lib/curtainup, a folder on the Docker host, or a bucket"
