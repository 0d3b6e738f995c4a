"""What is refused before anything is built for a review environment, and what its comment says."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from curtainup.cli.shared import reviews
from curtainup.commands import review, review_comment
from curtainup.commands.review import Reviewed
from curtainup.errors import LocalGateFailed, RefusedError
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.options import Options
from curtainup.pipeline.run.record import Recorder
from tests.review_stacks import Stacks


def test_another_services_environment_of_the_same_stack_is_refused(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    stacks.add("live", service="shop-review", stack="shop-review-live")
    recorder = Recorder(tmp_path, "shop", "deploy", environ={})
    with pytest.raises(RefusedError) as caught:
        review.deploy(stacks.session, recorder, Options(), "review-live")
    assert caught.value.what == "stack shop-review-live is live of the service shop-review"
    assert stacks.engine.ups == []


@pytest.mark.parametrize(
    "options",
    [
        Options(until="push"),
        Options(only="staging"),
        Options(canary=Canary((10,))),
        Options(replace_candidate=True),
    ],
)
def test_what_goes_with_live_is_refused(options: Options) -> None:
    with pytest.raises(typer.BadParameter):
        reviews.require_alone("review-7", options, post=False)
    reviews.require_alone(None, options, post=False)


def test_only_a_review_environment_is_told_of_in_a_comment() -> None:
    with pytest.raises(typer.BadParameter):
        reviews.require_alone(None, Options(), post=True)
    reviews.require_alone("review-7", Options(dirty=True, image="x", allow_replace=True), post=True)


def test_the_comment_says_where_what_and_for_how_long() -> None:
    one = Reviewed("review-7", "http://127.0.0.1:8086", "v1", "r1", changed=True, ttl=3 * 86400)
    text = review_comment.deployed("shop", one)
    assert text.startswith("### Review environment of `shop`\n\n`v1` serves at http://127.0.0.1:8086, ")
    assert "`review-7` is removed 3d after its last deployment" in text


def test_a_message_is_no_markup_in_a_comment() -> None:
    error = LocalGateFailed("`<details>` is\nnot closed")
    text = review_comment.failed("shop", "review-7", error)
    assert "`<details> is not closed`" in text
    assert "`review-7` was removed" in review_comment.removed("shop", "review-7")
