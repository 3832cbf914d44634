"""What steps do, what is refused, and everything that the conformance kit asks."""

from __future__ import annotations

import pytest
from azr_sorting import Sorting

from azr_engine.plugins.conformance import check_plugin


@pytest.mark.parametrize(
    ("steps", "items", "result"),
    [
        ("0-1", "[1, 2, 3, 4]", "[2, 1, 3, 4]"),
        ("0<1", "[1, 2, 3, 4]", "[1, 2, 3, 4]"),
        ("0<1", "[2, 1, 3, 4]", "[1, 2, 3, 4]"),
        ("0-1 1<3", "[3,1,2,0]", "[1, 0, 2, 3]"),
    ],
)
def test_steps_are_taken_from_left_to_right(steps: str, items: str, result: str) -> None:
    assert Sorting().run(steps, items) == result


@pytest.mark.parametrize(
    ("steps", "items"),
    [("0:1", "[1, 2, 3, 4]"), ("0-4", "[1, 2, 3, 4]"), ("0-1", "[1, 2, 3]"), ("0-1", "[1, 2, 3, True]")],
)
def test_what_means_nothing_is_refused(steps: str, items: str) -> None:
    with pytest.raises(ValueError, match=r"no step|four whole numbers"):
        Sorting().run(steps, items)


def test_the_plugin_conforms() -> None:
    report = check_plugin("sorting")
    assert report.passed, "\n".join(report.lines())
