"""Users get a page while somebody works on the service, and a deployment goes past it."""

from __future__ import annotations

import requests

from tests.e2e.load import users
from tests.e2e.service import Service, session


def test_maintenance_is_on_until_it_is_off_whatever_is_deployed_meanwhile(deployed: Service) -> None:
    url, old = deployed.url("live"), deployed.serving("live")

    done = deployed.run("maintenance", "on", "--message", "Back at <noon> & not before.")

    assert done.out == "maintenance of live is on\n"
    with session() as user:
        answer = user.get(url, timeout=60)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
        assert "Back at &lt;noon&gt; &amp; not before." in answer.text
        deployed.greet("meanwhile")
        said = deployed.deploy().err
        assert "live is in maintenance since" in said
        assert user.get(url, timeout=60).status_code == 503
        _restart(deployed)
        assert _when_it_answers(user, url).status_code == 503
    new = next(one for one, share in deployed.traffic("live").items() if share == 100)
    assert new != old
    assert deployed.proved() == ["local", "staging", "candidate", "live"]
    found = deployed.status("live")
    assert found["down"] is None
    assert found["maintenance"].startswith("since ")
    assert "MAINTENANCE since" in deployed.run("status").out
    again = deployed.run("maintenance", "on", "--message", "Back at <noon> & not before.")
    assert "it was so already" in again.err

    assert deployed.run("maintenance", "off").out == "maintenance of live is off\n"

    with users(url) as answers:
        pass
    assert set(answers.releases) == {new}
    assert deployed.status("live")["maintenance"] is None


def _restart(service: Service) -> None:
    service.host.client.api.restart(f"{service.name}-live-proxy")


def _when_it_answers(user: requests.Session, url: str) -> requests.Response:
    while True:
        try:
            return user.get(url, timeout=60)
        except requests.ConnectionError:
            continue
