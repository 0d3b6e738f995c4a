from __future__ import annotations

from curtainup.contract import ImageSettings, RegistrySettings
from curtainup.image_stack import _known
from curtainup.state import Remembered

REFERENCE = "127.0.0.1:5000/shop@sha256:" + "d" * 64


def remembered(tree: str, built: str) -> Remembered:
    """Return the memory of a stack whose last update was of `tree`, and the last good one of `built`."""
    settings = ImageSettings(
        service="shop",
        repository="127.0.0.1:5000/shop",
        version="v2",
        revision="",
        source="",
        tree=tree,
        context="",
        dockerfile="Dockerfile",
        log="",
    )
    registry = RegistrySettings(host="127.0.0.1:5000", local_port=5000)
    config = {
        "curtainup:image": settings.model_dump(mode="json"),
        "curtainup:registry": registry.model_dump(mode="json"),
    }
    outputs = {"image_id": "sha256:" + "c" * 64, "reference": REFERENCE, "tree": built}
    return Remembered(exists=True, config=config, outputs=outputs)


def test_a_stack_that_ended_well_knows_its_image() -> None:
    known = _known(remembered("one", "one"))
    assert known is not None
    assert known.reference == REFERENCE


def test_after_a_build_that_failed_the_image_before_is_not_taken_for_the_new_one() -> None:
    known = _known(remembered("two", "one"))
    assert known is not None
    assert (known.image_id, known.reference) == ("", "")
    assert known.registry.local_port == 5000


def test_an_empty_stack_knows_none() -> None:
    assert _known(Remembered()) is None
