"""Micro-batches cover every sequence once and keep within the budget."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.trainer.batching import micro_batches, pad_right


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(64, 256))
def test_every_index_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = micro_batches(lengths, budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_no_batch_holds_a_sequence_longer_than_one_of_an_earlier_batch(lengths: list[int]) -> None:
    batches = micro_batches(lengths, 128)
    for earlier, later in pairwise(batches):
        assert min(lengths[i] for i in earlier) >= max(lengths[i] for i in later)


def test_a_sequence_over_the_budget_stands_alone() -> None:
    assert micro_batches([10, 500, 10], 100) == [[1], [0, 2]]


def test_padding_is_on_the_right() -> None:
    assert pad_right([[1, 2], [3]]).tolist() == [[1, 2], [3, 0]]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.floats(0.1, 1.0))
def test_padding_is_bounded_where_a_least_fill_is_asked_for(lengths: list[int], fill: float) -> None:
    batches = micro_batches(lengths, 2048, fill)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert min(lengths[i] for i in batch) >= fill * max(lengths[i] for i in batch)
