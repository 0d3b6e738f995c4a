"""Every answer of the stand-in of AWS in these tests is one that botocore's models have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curtainup.rehearsal.aws import query_protocol
from curtainup.rehearsal.aws.endpoint import Account
from tests.rehearsal.aws import shapes


@pytest.fixture(autouse=True, scope="session")
def _judged_by_botocore() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_protocol, "answer", shapes.judged(query_protocol.answer))
        patch.setattr(Account, "_json", shapes.judged_json(Account._json))
        yield
