"""A job on each host's CI, with the host on loopback, and what `post` needs to comment from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
import requests

from curtainup.errors import ReviewFailed
from curtainup.reporting.review import Part, Style, Written, post
from curtainup.reporting.review.bitbucket import Bitbucket
from curtainup.reporting.review.models import Host
from curtainup.reporting.review.post import HOSTS
from tests.reporting.review.bitbucket_server import BitbucketServer
from tests.reporting.review.github_server import GitHubServer
from tests.reporting.review.gitlab_server import GitLabServer
from tests.reporting.review.servers import SECRET, Server, serving


@dataclass(frozen=True)
class Job:
    """A job for a request: its host, its variables, and the pauses it was made to take."""

    server: Server
    hosts: Mapping[str, Host]
    host: Host
    environ: Mapping[str, str]
    http: requests.Session
    pauses: list[float] = field(default_factory=list)

    def post(
        self,
        text: str | Callable[[Style], str] = "hello",
        subject: str = "shop",
        part: Part = Part.PREVIEW,
        /,
        **environ: str,
    ) -> Written:
        write = text if callable(text) else lambda _: text
        variables = {**self.environ, **environ}
        return post(
            write,
            subject,
            variables,
            self.http,
            part=part,
            hosts=self.hosts,
            pause=self.pauses.append,
        )

    def without(self, *names: str) -> Job:
        return replace(self, environ={key: one for key, one in self.environ.items() if key not in names})

    def refused(self, **environ: str) -> ReviewFailed:
        """Post, which must fail with an error that helps and does not show the token."""
        with pytest.raises(ReviewFailed) as raised:
            self.post(**environ)
        error = raised.value
        parts = (error.what, error.where, error.consequence, error.fix, error.detail)
        assert SECRET not in " ".join(filter(None, parts))
        assert "no comment was written" in (error.consequence or "")
        assert error.fix
        return error

    def marked(self, text: str, subject: str = "shop") -> str:
        return f"{self.host.marker(subject)}\n\n{text}"


def github(server: Server) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "octo/web",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_RUN_ID": "99",
        "GITHUB_TOKEN": SECRET,
    }


def gitlab(server: Server) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{server.url}/api/v4",
        "CI_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example/octo/web",
        "CI_MERGE_REQUEST_PROJECT_PATH": "octo/web",
        "CI_JOB_URL": "https://gitlab.example/octo/web/-/jobs/8",
        "CI_JOB_TOKEN": "glcbt-1",
        "GITLAB_TOKEN": SECRET,
    }


def bitbucket(server: Server) -> dict[str, str]:
    return {
        "BITBUCKET_BUILD_NUMBER": "17",
        "BITBUCKET_REPO_FULL_NAME": "octo/web",
        "BITBUCKET_PR_ID": "5",
        "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.example/octo/web",
        "BITBUCKET_ACCESS_TOKEN": SECRET,
    }


WORLDS = {
    "github": (GitHubServer, github),
    "gitlab": (GitLabServer, gitlab),
    "bitbucket": (BitbucketServer, bitbucket),
}


@pytest.fixture(params=WORLDS)
def job(request: pytest.FixtureRequest) -> Iterator[Job]:
    """The same on each host; `@pytest.mark.parametrize("job", ["github"], indirect=True)` takes one."""
    kind, variables = WORLDS[request.param]
    with serving(kind()) as server, requests.Session() as http:
        http.trust_env = False  # whatever proxy the machine is told to use, the server is on loopback
        hosts = {**HOSTS, "bitbucket": Bitbucket(f"{server.url}/2.0")}
        yield Job(server, hosts, hosts[request.param], variables(server), http)
        assert all(SECRET not in text for text in server.texts())
