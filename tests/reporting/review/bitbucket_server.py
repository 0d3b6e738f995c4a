"""Bitbucket Cloud on loopback, as far as comments on pull requests go."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any
from urllib.parse import urlencode

from tests.reporting.review.servers import EMAIL, SECRET, Answer, Call, Note, Server


class BitbucketServer(Server):
    """Cloud REST API 2.0: comments of pull request 5 of octo/web."""

    longest = 32_767

    def answer(self, call: Call) -> Answer:
        if not self._known(call.headers.get("authorization", "")):
            said = "Token is invalid, expired, or not supported for this endpoint."
            return Answer(401, self._error(said), {"WWW-Authenticate": 'Basic realm="Bitbucket.org HTTP"'})
        if not self.may_write and call.method != "GET":
            said = "Your credentials lack one or more required privilege scopes."
            return Answer(403, self._error(said))
        comments = "/2.0/repositories/octo/web/pullrequests/5/comments"
        if call.path == comments:
            if call.method in {"GET", "POST"}:
                return self._page(call) if call.method == "GET" else self._create(call)
            return Answer(405, self._error("Method not allowed"))
        found = re.fullmatch(comments + "/([0-9]+)", call.path)
        if found:
            return self._edit(call, found[1]) if call.method == "PUT" else Answer(405, self._error("no"))
        return Answer(404, self._error("Repository octo/other not found"))

    def _known(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        if scheme == "Basic":
            return b64decode(value).decode() == f"{EMAIL}:{SECRET}"
        return scheme == "Bearer" and value == SECRET

    def _page(self, call: Call) -> Answer:
        size = int(call.query.get("pagelen", "10"))
        if size > 100:
            return Answer(400, self._error("Invalid pagelen"))
        page = int(call.query.get("page", "1"))
        some = self.notes[(page - 1) * size : page * size]
        said = {"values": [self._shown(note) for note in some], "pagelen": size, "page": page}
        if page * size < len(self.notes):
            said["next"] = f"{self.url}{call.path}?{urlencode({**call.query, 'page': str(page + 1)})}"
        return Answer(200, said)

    def _create(self, call: Call) -> Answer:
        raw = self._raw(call)
        if raw is None:
            return Answer(400, self._error("Bad request"))
        return Answer(201, self._shown(self.seed(raw, foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note, raw = self._find(number), self._raw(call)
        if note is None or note.deleted:
            return Answer(404, self._error("Comment not found"))
        if note.foreign:
            return Answer(403, self._error("You may only edit your own comments"))
        if raw is None:
            return Answer(400, self._error("Bad request"))
        note.text = raw
        return Answer(200, self._shown(note))

    def _raw(self, call: Call) -> str | None:
        sent = call.json()
        content = sent.get("content")
        if sent.keys() != {"content"} or not isinstance(content, dict) or content.keys() != {"raw"}:
            return None
        raw = content["raw"]
        return raw if isinstance(raw, str) and 0 < len(raw) <= self.longest else None

    def _error(self, said: str) -> dict[str, Any]:
        return {"type": "error", "error": {"message": said}}

    def _shown(self, note: Note) -> dict[str, Any]:
        page = f"https://bitbucket.example/octo/web/pull-requests/5/_/diff#comment-{note.id}"
        text = "" if note.deleted else note.text
        shown = {"id": note.id, "deleted": note.deleted, "content": {"raw": text, "markup": "markdown"}}
        return {**shown, "links": {"html": {"href": page}}}
