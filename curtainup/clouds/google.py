"""Google Cloud as the driver needs it: identities, and where images go."""

from __future__ import annotations

from typing import Any, Protocol

from curtainup.errors import SetupError

CLOUD = "https://www.googleapis.com/auth/cloud-platform"


class Google(Protocol):
    """An account on Google Cloud, or what stands in for one."""

    def identity_token(self, audience: str) -> str:
        """Return a token by which the deployer may call a service that is not public."""

    def access_token(self) -> str:
        """Return a short-lived token for Google's APIs and registries."""

    def registry_host(self, region: str) -> str:
        """Return the host of the Artifact Registry of a region, as it begins an image's name."""


class RealGoogle:
    """The account of Application Default Credentials."""

    def identity_token(self, audience: str) -> str:
        """Return an identity token; the account must be allowed to call the service.

        A service account signs its own. A person's credentials carry none for an audience of choice, so
        the deployer is asked for `gcloud auth print-identity-token`, which Cloud Run takes as well.

        Raises:
            SetupError: the credentials are missing or give no identity.

        """
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
        from google.oauth2 import id_token

        try:
            return str(id_token.fetch_id_token(Request(), audience))  # type: ignore[no-untyped-call]
        except GoogleAuthError as first:
            found = getattr(self._credentials(), "id_token", None)
            if found:
                return str(found)
            raise SetupError(
                "the Google Cloud credentials give no identity token",
                where=f"for {audience}",
                consequence="the first release could not be tested before the public may call it",
                fix="deploy with a service account (gcloud auth application-default login "
                "--impersonate-service-account=ACCOUNT)",
                detail=str(first),
            ) from first

    def access_token(self) -> str:
        """Return an access token.

        Raises:
            SetupError: the credentials are missing or expired.

        """
        return str(self._credentials().token)

    def registry_host(self, region: str) -> str:
        """Return `REGION-docker.pkg.dev`."""
        return f"{region}-docker.pkg.dev"

    def _credentials(self) -> Any:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            credentials, _ = google.auth.default(scopes=[CLOUD])
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
        except GoogleAuthError as error:
            raise SetupError(
                "there are no usable Google Cloud credentials",
                where="Application Default Credentials",
                consequence="nothing was built or changed",
                fix="gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
                detail=str(error),
            ) from error
        return credentials
