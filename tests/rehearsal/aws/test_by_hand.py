from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import RefusedError
from curtainup.rehearsal.aws import by_hand
from tests.images.test_registry import BEANSTALK
from tests.sessions import world


def test_the_variables_lead_to_this_process_s_endpoint_in_the_service_s_region(tmp_path: Path) -> None:
    taken = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
    }
    session = world(tmp_path, BEANSTALK, environ={**taken, "AWS_PROFILE": "production"}).session
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    assert by_hand.variables(session) == taken | region


def test_there_is_no_aws_for_another_target(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no AWS to serve for docker"):
        by_hand.variables(world(tmp_path).session)
