"""JSON round trips and the checks that keep bad values out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.types import Draft, Episode, Task, Verdict, canonical_json, task_id

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
fields = st.dictionaries(st.text(max_size=8), json_values, max_size=4)


@given(fields, json_values, st.lists(st.text(max_size=5), max_size=3))
def test_a_task_survives_json(given_fields: dict[str, object], gold: object, parents: list[str]) -> None:
    task = Task("id", "python", "deduction", given_fields, gold, "s", parents=tuple(parents), born_step=3)
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task


@given(fields)
def test_a_task_id_depends_on_content_and_not_on_key_order(values: dict[str, object]) -> None:
    backwards = dict(reversed(list(values.items())))
    assert task_id("d", "k", values) == task_id("d", "k", backwards)
    assert task_id("d", "k", values) != task_id("d", "other", values)


def test_unknown_and_missing_fields_are_named() -> None:
    with pytest.raises(ValueError, match="'surprise'"):
        Draft.from_json({"domain": "d", "kind": "k", "fields": {}, "surprise": 1})
    with pytest.raises(ValueError, match="'kind'"):
        Draft.from_json({"domain": "d", "fields": {}})


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), True, "1"])
def test_a_verdict_refuses_scores_outside_of_the_unit_interval(score: object) -> None:
    with pytest.raises(ValueError, match="score"):
        Verdict("pass", score)  # type: ignore[arg-type]


def test_a_verdict_refuses_unknown_statuses() -> None:
    with pytest.raises(ValueError, match="status"):
        Verdict("passed", 1.0)  # type: ignore[arg-type]


def test_masked_verdicts_do_not_count_in_the_solve_rate() -> None:
    from azr_engine.engine.types import Answer, Attempt, Completion

    task = Task("id", "d", "k", {}, None, "s")
    completion = Completion((1,), (2,), (0.0,), "x", "stop", 0)
    verdicts = [Verdict("pass", 1.0), Verdict("fail", 0.0), Verdict("fault", 0.0), Verdict("abstain", 0.0)]
    episode = Episode(task, tuple(Attempt(task, completion, Answer({}, ""), v) for v in verdicts))
    assert episode.solve_rate == 0.5
    assert Episode(task, ()).solve_rate is None


def test_canonical_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))
