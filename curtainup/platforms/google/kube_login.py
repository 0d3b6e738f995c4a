"""Logs in to a cluster of GKE: a kubeconfig has this run, and it prints a short-lived token.

Follows https://kubernetes.io/docs/reference/config-api/client-authentication.v1/.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC
from typing import Any

from curtainup.errors import SetupError
from curtainup.platforms.google import account
from curtainup.platforms.google.gke import API_VERSION


def main() -> int:
    """Print a credential of the application default credentials, and return the exit code."""
    try:
        found = account.credentials()
    except SetupError as error:
        print("\n".join(part for part in (error.what, error.fix) if part), file=sys.stderr)
        return error.exit_code
    print(json.dumps(credential(found)))
    return 0


def credential(found: Any) -> dict[str, Any]:
    """Return the object that Kubernetes' clients take.

    Args:
        found: google.auth.credentials.Credentials with a token; its expiry is in UTC, without saying so.

    """
    status = {"token": str(found.token)}
    if found.expiry is not None:
        status["expirationTimestamp"] = found.expiry.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"apiVersion": API_VERSION, "kind": "ExecCredential", "status": status}


if __name__ == "__main__":
    sys.exit(main())
