"""GitLab on loopback, as far as notes of merge requests go."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from tests.reporting.review.servers import SECRET, Answer, Call, Note, Server


class GitLabServer(Server):
    """API v4: notes of merge request 3 of project 12; pages by offset, or by key."""

    longest = 1_000_000
    by_key = False

    def answer(self, call: Call) -> Answer:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if SECRET not in (call.headers.get("private-token"), bearer):
            return Answer(401, {"message": "401 Unauthorized"})
        return self._unscoped(call) or self._routed(call)

    def _unscoped(self, call: Call) -> Answer | None:
        if not self.may_write and call.method != "GET":
            words = "The request requires higher privileges than provided by the access token."
            refused = {"error": "insufficient_scope", "error_description": words, "scope": "api"}
            return Answer(403, refused)
        return None

    def _routed(self, call: Call) -> Answer:
        notes = "/api/v4/projects/12/merge_requests/3/notes"
        if call.path == notes:
            if call.method in {"GET", "POST"}:
                return self._page(call) if call.method == "GET" else self._create(call)
            return Answer(405, {"error": "405 Not Allowed"}, {"Allow": "OPTIONS, GET, POST, HEAD"})
        found = re.fullmatch(notes + "/([0-9]+)", call.path)
        if found:
            if call.method == "PUT":
                return self._edit(call, found[1])
            return Answer(405, {"error": "405 Not Allowed"}, {"Allow": "OPTIONS, GET, PUT, DELETE, HEAD"})
        return Answer(404, {"message": "404 Project Not Found"})

    def _page(self, call: Call) -> Answer:
        if call.query.get("sort", "desc") not in {"asc", "desc"}:
            return Answer(400, {"error": "sort does not have a valid value"})
        notes = self.notes if call.query.get("sort") == "asc" else self.notes[::-1]
        size = min(int(call.query.get("per_page", "20")), 100)
        key = "cursor" if self.by_key else "page"
        first = int(call.query.get(key, "0" if self.by_key else "1").removeprefix("after-"))
        start = first if self.by_key else (first - 1) * size
        headers = {}
        if start + size < len(notes):
            following = f"after-{start + size}" if self.by_key else str(first + 1)
            query = urlencode({**call.query, key: following})
            headers["Link"] = f'<http://gitlab.internal/{call.path}?{query}>; rel="next"'
        return Answer(200, [self._shown(note) for note in notes[start : start + size]], headers)

    def _create(self, call: Call) -> Answer:
        return self._refusal(call) or Answer(201, self._shown(self.seed(call.json()["body"], foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note = self._find(number)
        if note is None:
            return Answer(404, {"message": "404 Note Not Found"})
        if note.foreign:
            return Answer(403, {"message": "403 Forbidden"})
        refusal = self._refusal(call)
        if refusal:
            return refusal
        note.text = call.json()["body"]
        return Answer(200, self._shown(note))

    def _refusal(self, call: Call) -> Answer | None:
        if call.headers.get("content-type") != "application/json":
            return Answer(406, {"error": "The requested content-type is not supported."})
        text = call.json().get("body")
        if not isinstance(text, str):
            return Answer(400, {"error": "body is missing"})
        if len(text) > self.longest:
            said = f'Note {{:note=>["is too long ({len(text)} characters). The maximum is {self.longest}."]}}'
            return Answer(400, {"message": f"400 Bad request - {said}"})
        return None

    def _shown(self, note: Note) -> dict[str, Any]:
        return {"id": note.id, "body": note.text, "system": False, "noteable_iid": 3}
