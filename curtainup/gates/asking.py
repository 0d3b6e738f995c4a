"""How curtainup asks a release whether it is well, and what it makes of the answer.

The health check, the probe and the gates ask alike: with the same path, headers and time limit.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.config.targets import ON_CLUSTERS
from curtainup.gates.http import Answer, explain
from curtainup.model.trouble import Trouble

TEMPORARY = frozenset({408, 425, 429})
"""Client errors that go away by themselves."""
REFUSED = frozenset({400, 403, 421})
"""What frameworks answer to a host that they do not serve."""
_TLS_ALERT = "\x15\x03"


@dataclass(frozen=True)
class Asking:
    """One way to ask.

    Attributes:
        path: the path that answers 2xx when the release is well.
        host: the value of the header `Host`; None is the host of the URL.
        https: whether users come over HTTPS, which `X-Forwarded-Proto` then says.
        timeout: seconds that one answer may take.

    """

    path: str
    host: str | None = None
    https: bool = False
    timeout: float = 5.0

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each request."""
        host = {"Host": self.host} if self.host else {}
        return host | ({"X-Forwarded-Proto": "https"} if self.https else {})


def of_environment(
    service: ServiceConfig, environment: EnvironmentConfig, *, path: str | None = None, routed: bool = False
) -> Asking:
    """Return how a release of an environment is asked.

    Args:
        service: the service's settings, which have its public address.
        environment: the environment's settings.
        path: the release's own health path; None is the configured one.
        routed: whether the target finds the service by `Host`, so that no other host may be sent.

    """
    path = path or environment.health_path
    if routed:
        return Asking(path, timeout=environment.health_timeout)
    own = service.https_host(environment.environment)
    url = urlsplit(f"https://{own}" if own else service.live_url or "")
    shared = _gateway_host(service, environment)
    host = environment.health_host or shared or url.netloc.rpartition("@")[2] or service.live_host
    return Asking(path, host or None, url.scheme == "https", environment.health_timeout)


def _gateway_host(service: ServiceConfig, environment: EnvironmentConfig) -> str | None:
    """Return the host by which a Gateway finds the environment: live's would find live."""
    on_cluster = environment.deploy_target in ON_CLUSTERS
    return service.gateway_host(environment.environment) if on_cluster else None


def trouble_of_answer(asking: Asking, url: str, answer: Answer) -> Trouble | None:
    """Return what is wrong with an answer; None if it is 2xx."""
    status = answer.status
    if 200 <= status < 300:
        return None
    request = f"GET {asking.path}: HTTP {status}"
    if 300 <= status < 400 and answer.location:
        return _redirected(asking, url, request, answer.location)
    if status >= 500 or status in TEMPORARY or status < 200:
        return Trouble(request, _more_time(asking), answered=True)
    if status in REFUSED:
        return _refused(asking, url, request)
    return Trouble(request, _other_path(asking), answered=True, lasting=True)


def trouble_of_error(asking: Asking, error: OSError | http.client.HTTPException) -> Trouble:
    """Return what is wrong when no complete answer came."""
    request = f"GET {asking.path}: {explain(error)}"
    if isinstance(error, TimeoutError):
        return too_slow(asking)
    if isinstance(error, http.client.BadStatusLine) and _TLS_ALERT in str(error):
        return Trouble(
            f"{request}: it speaks TLS, and curtainup and its proxy speak plain HTTP with a release",
            "serve plain HTTP on the port in PORT; what is in front of the service speaks HTTPS",
        )
    return Trouble(request, _more_time(asking))


def too_slow(asking: Asking, seconds: float | None = None) -> Trouble:
    """Return the trouble with an answer that did not come in time, or in the `seconds` that were left."""
    return Trouble(
        f"GET {asking.path}: no answer within {asking.timeout if seconds is None else seconds:.3g} s",
        f"make GET {asking.path} answer faster, or allow each answer more than "
        f"`health_timeout: {asking.timeout:g}` in pym-config.yaml",
    )


def _redirected(asking: Asking, url: str, request: str, location: str) -> Trouble:
    """Explain a redirect by where it leads: to HTTPS, to another host, or to another path."""
    sent = f"http://{asking.host or urlsplit(url).netloc}{asking.path}"
    there = urlsplit(urljoin(sent, location))
    what = f"{request}, a redirect to {there.geturl()}"
    if there.scheme == "https" and asking.https:
        fix = (
            f"let the service trust the header X-Forwarded-Proto: https, which curtainup sends, or exempt "
            f"{asking.path} from the redirect"
        )
    elif there.scheme == "https" and urlsplit(url).scheme == "http":
        fix = (
            f"exempt {asking.path} from the redirect to https. Or let the service trust the header "
            f"X-Forwarded-Proto, and set `live_url: https://HOST` in pym-config.yaml: curtainup then sends "
            f"X-Forwarded-Proto: https"
        )
    elif there.hostname != urlsplit(sent).hostname:
        fix = f"set `health_host: {there.netloc}` in pym-config.yaml, or do not redirect {asking.path}"
    else:
        fix = f"set `health_path` in pym-config.yaml to a path that answers 200 itself, such as {there.path}"
    return Trouble(what, fix, answered=True, lasting=True)


def _refused(asking: Asking, url: str, request: str) -> Trouble:
    host = asking.host or urlsplit(url).netloc
    return Trouble(
        f"{request}; perhaps the service refuses the header Host: {host}",
        f"if so, set `health_host` in pym-config.yaml to a host that it serves, or let it serve {host} too. "
        f"Otherwise {_other_path(asking)}",
        answered=True,
        lasting=True,
    )


def _other_path(asking: Asking) -> str:
    return (
        f"make GET {asking.path} answer 200 without a login, or set `health_path` in pym-config.yaml to a "
        "path that does. While the service still starts, it should answer 503"
    )


def _more_time(asking: Asking) -> str:
    return f"make GET {asking.path} answer 200, or give it more time: `start_timeout` in pym-config.yaml"
