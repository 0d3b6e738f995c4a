"""GitHub on loopback, as far as comments on pull requests go."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from tests.reporting.review.servers import SECRET, Answer, Call, Note, Server


class GitHubServer(Server):
    """REST API 2022-11-28: issue comments of octo/web, pull request 7."""

    longest = 65_536

    def answer(self, call: Call) -> Answer:
        return self._unsigned(call) or self._routed(call)

    def _unsigned(self, call: Call) -> Answer | None:
        if not call.headers.get("user-agent"):
            return Answer(403, {"message": "Request forbidden by administrative rules."})
        if call.headers.get("x-github-api-version", "2022-11-28") != "2022-11-28":
            return Answer(400, {"message": "API version not supported"})
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        if not value:
            return Answer(401, {"message": "Requires authentication"})
        if scheme.lower() not in {"bearer", "token"} or value != SECRET:
            return Answer(401, {"message": "Bad credentials"})
        return None

    def _routed(self, call: Call) -> Answer:
        if call.path == "/repos/octo/web/issues/7/comments":
            if call.method == "GET":
                return self._page(call)
            if call.method == "POST":
                return self._create(call)
        found = re.fullmatch("/repos/octo/web/issues/comments/([0-9]+)", call.path)
        if found and call.method == "PATCH":
            return self._edit(call, found[1])
        return Answer(404, {"message": "Not Found"})

    def _page(self, call: Call) -> Answer:
        size = min(int(call.query.get("per_page", "30")), 100)
        page = int(call.query.get("page", "1"))
        some = self.notes[(page - 1) * size : page * size]
        links = []
        if page * size < len(self.notes):
            query = urlencode({**call.query, "page": str(page + 1)})
            links.append(f'<{self.url}/repositories/42/issues/7/comments?{query}>; rel="next"')
        if page > 1:
            links.append(f'<{self.url}/repositories/42/issues/7/comments?page=1>; rel="first"')
        headers = {"Link": ", ".join(links)} if links else {}
        return Answer(200, [self._shown(note) for note in some], headers)

    def _create(self, call: Call) -> Answer:
        refusal = self._refusal(call)
        if refusal:
            return refusal
        return Answer(201, self._shown(self.seed(call.json()["body"], foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note = self._find(number)
        if note is None:
            return Answer(404, {"message": "Not Found"})
        refusal = self._refusal(call)
        if refusal:
            return refusal
        if note.foreign:
            return Answer(403, {"message": "Must have admin rights to Repository."})
        note.text = call.json()["body"]
        return Answer(200, self._shown(note))

    def _refusal(self, call: Call) -> Answer | None:
        if not self.may_write:
            return Answer(403, {"message": "Resource not accessible by integration", "status": "403"})
        try:
            sent = call.json()
        except ValueError:
            return Answer(400, {"message": "Problems parsing JSON"})
        for key in sent.keys() - {"body"}:
            return Answer(422, {"message": f'Invalid request.\n\n"{key}" is not a permitted key.'})
        if not isinstance(sent.get("body"), str) or not sent["body"].strip():
            return Answer(422, {"message": 'Invalid request.\n\n"body" wasn\'t supplied.'})
        if len(sent["body"]) > self.longest:
            error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
            error["message"] = f"Body is too long (maximum is {self.longest} characters)"
            return Answer(422, {"message": "Validation Failed", "errors": [error]})
        return None

    def _shown(self, note: Note) -> dict[str, Any]:
        page = f"https://github.example/octo/web/pull/7#issuecomment-{note.id}"
        return {"id": note.id, "body": note.text, "html_url": page, "user": {"login": "github-actions[bot]"}}
