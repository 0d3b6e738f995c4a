"""AWS on this machine's loopback interface, for unchanged boto3 and the AWS command line: `AWS_ENDPOINT_URL`.

It answers the operations of Beanstalk, STS, ECR and CloudWatch Logs that curtainup uses, and shares its state
with the stand-in provider. The scope of a request's signature (Signature Version 4) names the service.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

from curtainup.rehearsal.aws import cloudwatch_logs, ecr, query_protocol, systems_manager
from curtainup.rehearsal.aws.beanstalk import api
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk
from curtainup.rehearsal.aws.common import ACCOUNT, REGIONS, USER_ARN, AwsError, NoAnswer
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud
from curtainup.util.peers import OwnHTTPServer

_SCOPE = re.compile(r"Credential=([^/,]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Endpoint:
    """A served endpoint.

    Attributes:
        url: the value for `AWS_ENDPOINT_URL`, `http://127.0.0.1:PORT`.

    """

    url: str
    server: OwnHTTPServer

    def close(self) -> None:
        """End serving."""
        self.server.shutdown()
        self.server.server_close()


@dataclass(frozen=True)
class Call:
    """One request: who signed it, for which service and region, and what it says."""

    service: str
    region: str
    target: str
    body: bytes


def serve(home: Home, faults: Faults) -> Endpoint:
    """Start to serve a rehearsal's AWS on a free loopback port, until it is closed or the process ends."""

    class Handler(_Handler):
        account = Account(home, faults)

    server = OwnHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, name="aws", daemon=True).start()
    return Endpoint(f"http://127.0.0.1:{server.server_address[1]}", server)


class Account:
    """Answers calls."""

    def __init__(self, home: Home, faults: Faults) -> None:
        self._home = home
        self._faults = faults

    def answer(self, call: Call) -> tuple[str, bytes]:
        """Return content type and body; raises `AwsError`."""
        if call.region not in REGIONS:
            raise AwsError(
                "InvalidClientTokenId", "The security token included in the request is invalid.", 403
            )
        if call.target:
            return "application/x-amz-json-1.1", json.dumps(self._json(call)).encode()
        if call.service not in ("elasticbeanstalk", "sts"):
            raise AwsError("InvalidAction", f"a rehearsal has no AWS service {call.service}")
        return "text/xml", self._query(call)

    def _json(self, call: Call) -> Mapping[str, Any]:
        if call.service == "ecr" and call.target.endswith(".GetAuthorizationToken"):
            return ecr.authorization(self._home)
        if call.target == "Logs_20140328.FilterLogEvents":
            return cloudwatch_logs.filter_log_events(self._region(call.region), json.loads(call.body))
        if call.target.startswith(systems_manager.PREFIX):
            operation = call.target.removeprefix(systems_manager.PREFIX)
            return systems_manager.answer(self._region(call.region), operation, json.loads(call.body))
        raise AwsError(
            "UnknownOperationException", f"a rehearsal has no {call.service} operation {call.target}"
        )

    def _query(self, call: Call) -> bytes:
        parameters = dict(parse_qsl(call.body.decode(), keep_blank_values=True))
        name, model = parameters.get("Action", ""), query_protocol.model(call.service)
        if name not in model.operation_names:
            raise AwsError(
                "InvalidAction", f"Could not find operation {name} for version {model.api_version}"
            )
        operation = model.operation_model(name)
        asked = query_protocol.arguments(operation.input_shape, parameters)
        if call.service == "sts":
            return query_protocol.answer(operation, _sts(name))
        return query_protocol.answer(operation, self._beanstalk(call.region, name, asked))

    def _beanstalk(self, region: str, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if name not in api.OPERATIONS:
            raise AwsError("InvalidAction", f"a rehearsal has no Beanstalk operation {name}")
        service = self._region(region)
        environment = api.require(service, asked)
        named = environment or str(asked.get("ApplicationName", ""))
        if self._faults.throttles(named):
            raise AwsError("Throttling", "Rate exceeded")
        return api.OPERATIONS[name](service, asked)

    def _region(self, region: str) -> Beanstalk:
        return Beanstalk(Cloud(self._home, self._faults, {"region": region}), region)


class _Handler(BaseHTTPRequestHandler):
    """Reads requests of the query protocol and of JSON 1.1."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Else an answer on a kept connection takes 40 ms: its head and its body are sent apart."""
    account: Account

    def do_POST(self) -> None:
        """Answer a call."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target") or ""
        try:
            kind, answer = self.account.answer(_call(self.headers.get("Authorization") or "", target, body))
            self._send(200, kind, answer)
        except AwsError as error:
            self._refuse(error, target)
        except NoAnswer:
            self.close_connection = True
        except Exception as error:
            self._refuse(AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500), target)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep no log."""

    def _refuse(self, error: AwsError, target: str) -> None:
        if target:
            answer = json.dumps({"__type": error.code, "message": error.message}).encode()
            self._send(error.status, "application/x-amz-json-1.1", answer)
        else:
            self._send(error.status, "text/xml", query_protocol.refusal(error.code, error.message))

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(body)


def _call(authorization: str, target: str, body: bytes) -> Call:
    """Read the caller, the service and the operation; raises `AwsError` for an unsigned request."""
    scope = _SCOPE.search(authorization)
    if scope is None:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
    return Call(scope[3], scope[2], target, body)


def _sts(name: str) -> dict[str, Any]:
    if name != "GetCallerIdentity":
        raise AwsError("InvalidAction", f"a rehearsal has no STS operation {name}")
    return {"UserId": "AIDAREHEARSAL0000000", "Account": ACCOUNT, "Arn": USER_ARN}
