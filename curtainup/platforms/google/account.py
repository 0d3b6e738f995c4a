"""Google Cloud as the driver needs it: credentials, tokens, and the addresses of its services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import requests

from curtainup.errors import SetupError
from curtainup.setup import extras
from curtainup.util.deadlines import whole, within

CLOUD = "https://www.googleapis.com/auth/cloud-platform"
GRANT_SECONDS = 120.0
"""After how many seconds a grant is typically enforced; it can be 7 minutes or more.

Source: https://cloud.google.com/iam/docs/access-change-propagation
"""
TIMEOUT = 20
"""Seconds of each wait for a part of an answer."""
LONGEST = 90
"""Seconds in which Google's library gets a token, its own repetitions included."""
LOG_IN = "gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS (docs/cloud-run.md)"


class Google(Protocol):
    """An account on Google Cloud, or its stand-in."""

    def identity_token(self, audience: str) -> str:
        """Return a token with which the deployer may call a service that is not public."""

    def access_token(self) -> str:
        """Return a short-lived token for Google's APIs and registries."""

    def registry_host(self, region: str) -> str:
        """Return the host of a region's Artifact Registry: the beginning of an image's name."""

    def kubeconfig(self, cluster: str, context: str) -> dict[str, Any] | None:
        """Return the kubeconfig of a cluster of GKE with one context; None if there is no such cluster.

        Args:
            cluster: `projects/PROJECT/locations/LOCATION/clusters/NAME`.
            context: the name of the context.

        """

    def is_certified(self, certificate: str) -> bool:
        """Return whether Google has issued a certificate of Certificate Manager.

        Args:
            certificate: `projects/PROJECT/locations/global/certificates/NAME`.

        """

    @property
    def grant_seconds(self) -> float:
        """Return after how many seconds a grant is typically enforced."""

    @property
    def logging_api(self) -> str:
        """Return the URL of Cloud Logging, without a path."""

    @property
    def run_api(self) -> str:
        """Return the URL of Cloud Run, without a path."""

    @property
    def scheduler_api(self) -> str:
        """Return the URL of Cloud Scheduler, without a path."""


@dataclass(frozen=True)
class RealGoogle:
    """The account of Application Default Credentials.

    Attributes:
        signer: the URL of IAM's Credentials API.

    """

    signer: str = "https://iamcredentials.googleapis.com"

    def identity_token(self, audience: str) -> str:
        """Return an identity token; the account must be allowed to call the service.

        The token is for whom the credentials are for. Google's library makes one
        (`google.oauth2.id_token.fetch_id_token`) for a service account, for its impersonation by the file
        that GOOGLE_APPLICATION_CREDENTIALS names, and for a machine of Google Cloud. It knows no federated
        credentials, such as those of a CI job, and would ask the machine's metadata server in their place;
        for these IAM signs one if their account may create tokens for itself. A person's own credentials
        carry one for another audience; Cloud Run accepts that from people.

        Raises:
            SetupError: the credentials are missing or give no identity token.

        """
        own = credentials()
        found, why = (None, "") if _is_lent(own) else _fetched(audience)
        found = found or getattr(own, "id_token", None) or self._signed(own, audience)
        if found:
            return str(found)
        raise SetupError(
            "the Google Cloud credentials give no identity token",
            where=f"for {audience}",
            consequence="curtainup could not test the first release before the public may call it",
            fix="let the account create tokens for itself (roles/iam.serviceAccountOpenIdTokenCreator), "
            "or gcloud auth application-default login --impersonate-service-account ACCOUNT, then "
            "export GOOGLE_APPLICATION_CREDENTIALS=~/.config/gcloud/application_default_credentials.json"
            " (docs/cloud-run.md)",
            detail=why or None,
        )

    def _signed(self, own: Any, audience: str) -> str | None:
        """Let IAM sign a token for the account of the credentials; return None if IAM does not.

        Follows `projects.serviceAccounts.generateIdToken` of the IAM Service Account Credentials API.
        """
        email = getattr(own, "service_account_email", None)
        if not email or "@" not in email:
            return None
        url = f"{self.signer}/v1/projects/-/serviceAccounts/{email}:generateIdToken"
        asked = {"audience": audience, "includeEmail": True}
        try:
            headers = {"Authorization": f"Bearer {own.token}"}
            answer = whole(
                lambda: requests.post(url, json=asked, headers=headers, timeout=TIMEOUT, stream=True),
                seconds=LONGEST,
            )
            return str(answer.json()["token"]) if answer.ok else None
        except (requests.RequestException, KeyError, TypeError, RecursionError):
            return None

    def access_token(self) -> str:
        """Return an access token.

        Raises:
            SetupError: the credentials are missing or expired.

        """
        return str(credentials().token)

    def registry_host(self, region: str) -> str:
        """Return `REGION-docker.pkg.dev`."""
        return f"{region}-docker.pkg.dev"

    def kubeconfig(self, cluster: str, context: str) -> dict[str, Any] | None:
        """Return the kubeconfig, which holds no credentials; see `gke.kubeconfig`."""
        from curtainup.platforms.google import gke

        return gke.kubeconfig(self.access_token(), cluster, context)

    def is_certified(self, certificate: str) -> bool:
        """Return what Certificate Manager says; see `gke.is_certified`."""
        from curtainup.platforms.google import gke

        return gke.is_certified(self.access_token(), certificate)

    @property
    def grant_seconds(self) -> float:
        """The time that Google names."""
        return GRANT_SECONDS

    @property
    def logging_api(self) -> str:
        """The API's own address."""
        return "https://logging.googleapis.com"

    @property
    def run_api(self) -> str:
        """The API's own address."""
        return "https://run.googleapis.com"

    @property
    def scheduler_api(self) -> str:
        """The API's own address."""
        return "https://cloudscheduler.googleapis.com"


def holder() -> str:
    """Return, for people, for whom the Application Default Credentials are.

    Raises:
        SetupError: as `credentials`.

    """
    found = credentials()
    return str(getattr(found, "service_account_email", None) or getattr(found, "account", None) or "a person")


def project_of(docker_repo: str) -> str:
    """Return the project's id from `docker_repo`, which is that or begins with a registry's host."""
    first, slash, rest = docker_repo.partition("/")
    return rest.partition("/")[0] if slash and "." in first else first


def _is_lent(own: Any) -> bool:
    """Return whether the credentials are a person's or federated: they are not the machine's."""
    from google.auth import external_account, external_account_authorized_user
    from google.oauth2 import credentials as people

    lent = (
        external_account.Credentials,
        external_account_authorized_user.Credentials,
        people.Credentials,
    )
    return isinstance(own, lent)


def _fetched(audience: str) -> tuple[str | None, str]:
    """Return the token that Google's library makes, or None and why it makes none."""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token

    try:
        return within(LONGEST, lambda: str(id_token.fetch_id_token(Request(), audience))), ""  # type: ignore[no-untyped-call]
    except (GoogleAuthError, TimeoutError) as error:
        return None, str(error)


def credentials() -> Any:
    """Return the Application Default Credentials (google.auth.credentials.Credentials), with a fresh token.

    Raises:
        SetupError: there are none, Google does not accept them, or curtainup cannot reach Google.

    """
    extras.require(extras.GCP)
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    def refreshed() -> Any:
        found, _ = google.auth.default(scopes=[CLOUD])
        found.refresh(Request())  # type: ignore[no-untyped-call]
        return found

    try:
        return within(LONGEST, refreshed)
    except DefaultCredentialsError as error:
        raise _unusable("there are no Google Cloud credentials", error) from error
    except (TransportError, TimeoutError) as error:
        fix = "check the network and the proxy (HTTPS_PROXY)"
        raise _unusable("cannot reach Google Cloud", error, fix) from error
    except GoogleAuthError as error:
        raise _unusable("Google does not accept the credentials", error) from error


def _unusable(what: str, error: Exception, fix: str = LOG_IN) -> SetupError:
    return SetupError(
        what,
        where="Application Default Credentials",
        consequence="nothing was built or changed",
        fix=fix,
        detail=str(error),
    )
