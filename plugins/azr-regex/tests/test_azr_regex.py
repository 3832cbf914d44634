"""What patterns find, the pattern that takes for ever, and everything that the conformance kit asks."""

from __future__ import annotations

import asyncio

import pytest
from azr_regex import Regex

from azr_engine.domains.function import FunctionVerifier
from azr_engine.engine.types import Draft, Rejection
from azr_engine.plugins.conformance import check_plugin


def test_matches_come_from_left_to_right() -> None:
    assert Regex().run(r"[ab]+\d", "aab1 b2c") == "['aab1', 'b2']"
    with pytest.raises(ValueError, match="finds nothing"):
        Regex().run("z", "abc")


@pytest.mark.parametrize("text", ["['aab1']", "ABC", "a\nb", "é"])
def test_texts_that_could_be_a_result_are_no_inputs(text: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Regex().run("a", text)


def test_a_pattern_that_takes_for_ever_is_rejected_and_the_others_go_on() -> None:
    async def admit() -> list[object]:
        verifier = FunctionVerifier(Regex(), workers=1, cpu_seconds=0.5)
        bad = {"program": "(a+)+b", "input": "a" * 40 + "c"}
        good = {"program": "a+", "input": "aa b a"}
        try:
            return list(await verifier.admit([Draft("regex", "deduction", fields) for fields in (good, bad, good)]))
        finally:
            await verifier.close()

    first, second, third = asyncio.run(admit())
    assert second == Rejection("timeout")
    assert first == third != second


def test_the_plugin_conforms() -> None:
    report = check_plugin("regex")
    assert report.passed, "\n".join(report.lines())
