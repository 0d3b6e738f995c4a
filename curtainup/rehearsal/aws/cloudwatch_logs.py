"""Stand-in of CloudWatch Logs: FilterLogEvents over the output of Beanstalk's machines.

Follows the API reference. An environment that streams its logs has one log group, that of the Docker
platform's containers, once its machine has started. Pages are small, and the first page of a long list is
empty, as the real service may answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal import written
from curtainup.rehearsal.aws import beanstalk_options as options
from curtainup.rehearsal.aws.beanstalk_deploy import container_name
from curtainup.rehearsal.aws.beanstalk_state import Beanstalk, Environment
from curtainup.rehearsal.aws.common import AwsError

PREFIX = "/aws/elasticbeanstalk/"
FILE = "/var/log/eb-docker/containers/eb-current-app/stdouterr.log"
STREAMING = ("aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs")
MOST = 10_000
LONGEST = 20
"""The maximum number of events in a page of the stand-in, whatever the request asks for."""
NEWEST_FIRST_SINCE = datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000
_KEYS = frozenset({"logGroupName", "startTime", "endTime", "nextToken", "limit", "startFromHead"})


def filter_log_events(service: Beanstalk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of events.

    Raises:
        AwsError: the request is not allowed, or the group does not exist.

    """
    unknown = sorted(set(asked) - _KEYS)
    if unknown:
        raise _invalid(f"a rehearsal does not know {unknown[0]}")
    group = asked.get("logGroupName", "")
    if not group:
        raise _invalid("Log group name or identifier must be specified")
    limit, start = asked.get("limit", MOST), asked.get("startTime", 0)
    if not 1 <= limit <= MOST:
        raise _invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {MOST}"
        )
    end = asked.get("endTime", float("inf"))
    if start > end:
        raise _invalid("End time should not be before start time")
    head = asked.get("startFromHead", True)
    if not head and start < NEWEST_FIRST_SINCE:
        raise _invalid("startFromHead=false needs a startTime on or after Jan 1, 2024 00:00:00 UTC")
    events = [one for one in _events(service, group) if start <= one["timestamp"] <= end]
    return _page(events if head else events[::-1], min(limit, LONGEST), asked)


def _page(events: list[dict[str, Any]], size: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    group, token, first = str(asked["logGroupName"]), asked.get("nextToken"), 0
    if token is not None:
        begun, _, at = str(token).rpartition("#")
        if begun != group or not at.isdecimal():
            raise _invalid("The specified nextToken is invalid.")
        first = int(at)
    elif len(events) > size:
        return {"events": [], "searchedLogStreams": [], "nextToken": f"{group}#0"}
    last = first + size
    more = {"nextToken": f"{group}#{last}"} if last < len(events) else {}
    return {"events": events[first:last], "searchedLogStreams": [], **more}


def _events(service: Beanstalk, group: str) -> list[dict[str, Any]]:
    record = _streaming(service, group)
    if record is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    stream = f"i-{record['id'].removeprefix('e-')}"
    with connect(None) as api:
        found = written.lines(api, container_name(service, record, str(record["round"])))
    return [_event(stream, one) for one in found]


def _streaming(service: Beanstalk, group: str) -> Environment | None:
    """Return the environment that has that group, if its machine has begun to stream."""
    for one in service.environments(deleted=True):
        settings = options.options(one["settings"])
        streams = options.value(settings, *STREAMING) == "true"
        if group == f"{PREFIX}{one['name']}{FILE}" and one["round"] and streams:
            return one
    return None


def _event(stream: str, one: written.Written) -> dict[str, Any]:
    whole, _, fraction = one.at.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    moment = seconds * 1000 + int(fraction[:3])
    return {
        "logStreamName": stream,
        "timestamp": moment,
        "ingestionTime": moment,
        "message": one.text,
        "eventId": f"{seconds}{fraction}{one.stream}{one.number:09}",
    }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
