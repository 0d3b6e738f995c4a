"""The login to a cluster: what the kubeconfig has of it, and the headers that prove who asks."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import kubeconfig, lean
from curtainup.platforms.kubernetes.heard import Heard
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from curtainup.util.deadlines import within

AT_ONCE = 64
"""Connections that are kept: each log that is followed has one."""
PATIENCE = 120.0
"""Seconds that the command may take by which the kubeconfig gets a token: it may ask a person."""
LOG_IN = "log in to the cluster again, so that `kubectl get namespaces` works with the same context"


class Login:
    """The login by one context of a kubeconfig.

    Both the configuration and the headers raise SetupError if the kubeconfig gives no credentials.
    """

    def __init__(self, chosen: Chosen) -> None:
        """Take the context; nothing is read yet."""
        self.chosen = chosen
        self._lock = Lock()
        self._heard = Heard()

    @cached_property
    def configuration(self) -> Any:
        """The Python client's configuration, with the address of the API server."""
        lean.prepare()
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config

        configuration = Configuration()
        configuration.connection_pool_maxsize = AT_ONCE

        def load() -> None:
            load_kube_config(self.chosen.paths, self.chosen.context, configuration, persist_config=False)

        try:
            with self._heard:
                within(PATIENCE, load)
        except TimeoutError as error:
            raise self._no_token() from error
        except ConfigException as error:
            raise self._not_accepted(str(error)) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise kubeconfig.unreadable(str(self.chosen), str(error)) from error
        return configuration

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks; a token that is old is renewed, by one at a time."""
        lean.prepare()
        from kubernetes.config import ConfigException

        configuration = self.configuration
        try:
            with self._lock, self._heard:
                settings = within(PATIENCE, configuration.auth_settings)
        except TimeoutError as error:
            raise self._no_token() from error
        except (ConfigException, OSError, ValueError) as error:
            raise self._not_accepted(str(error)) from error
        return {one["key"]: one["value"] for one in settings.values() if one.get("value")}

    def refused(self, message: str) -> SetupError:
        """Return the error of an API server that does not know who asks, with what the login said before."""
        return self._not_accepted("\n".join([*self._heard.said, message]))

    def _not_accepted(self, detail: str) -> SetupError:
        return SetupError(
            "the cluster does not accept the credentials",
            where=str(self.chosen),
            consequence="nothing was built or changed",
            fix=LOG_IN,
            detail=detail,
        )

    def _no_token(self) -> SetupError:
        return self._not_accepted(f"the kubeconfig's command gave no token within {PATIENCE:g} s")
