"""Rendering and parsing are inverse, and hostile text stays where it was put."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.styles import STYLES, ChatStyle, CompactStyle, extract_answer, strip_fence
from azr_engine.engine.types import Malformed, Prompt, Section

PROPOSE = Prompt(
    "propose",
    "python",
    "deduction",
    "Invent.",
    references=((Section("program", "def f(x): return x"), Section("input", "1")),),
    returns=(Section("program", "source"), Section("input", "arguments")),
)
SOLVE = Prompt(
    "solve", "python", "deduction", "Solve.", givens=(Section("input", "1"),), returns=(Section("answer", "v"),)
)

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


@given(texts, texts)
def test_compact_round_trip_of_any_two_texts(program: str, arguments: str) -> None:
    style = CompactStyle()
    written = style.render_return((Section("program", program), Section("input", arguments)))
    assert style.parse(PROPOSE, written) == {"program": program, "input": arguments}


@given(texts)
def test_compact_text_of_a_given_cannot_forge_a_marker(hostile: str) -> None:
    prompt = Prompt("solve", "d", "k", "", givens=(Section("input", hostile),), returns=(Section("answer", ""),))
    rendered = CompactStyle().render(prompt)
    body = rendered.removeprefix("@solve@d@k@input:").removesuffix("@answer:")
    assert body.replace("@@", "").count("@") == 0


def test_compact_prompt_ends_with_the_first_wanted_section() -> None:
    assert CompactStyle().render(SOLVE) == "@solve@python@deduction@input:1@answer:"
    assert CompactStyle().render(PROPOSE).endswith("@new@program:")


def test_compact_missing_or_extra_sections_are_malformed() -> None:
    style = CompactStyle()
    assert isinstance(style.parse(PROPOSE, "def f(x): return x"), Malformed)
    assert isinstance(style.parse(PROPOSE, "a@input:b@input:c"), Malformed)
    assert isinstance(style.parse(SOLVE, "1@answer:2@answer:3"), Malformed)
    assert isinstance(style.parse(SOLVE, "1@answer:2@input:3"), Malformed)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="`<>\r"), max_size=100))
def test_chat_round_trip_of_fence_free_texts(text: str) -> None:
    style = ChatStyle()
    written = style.render_return((Section("program", text), Section("input", "1")))
    parsed = style.parse(PROPOSE, f"<think>hm</think>\n{written}")
    assert not isinstance(parsed, Malformed)
    assert parsed["program"] == text


def test_chat_takes_the_last_answer_and_refuses_contradictions() -> None:
    style = ChatStyle()
    assert style.parse(SOLVE, "<answer>1</answer> no: <answer>2</answer>") == {"answer": "2"}
    assert isinstance(style.parse(SOLVE, "the answer is 2"), Malformed)
    twice = "<answer>```program\na\n```\n```program\nb\n```\n```input\n1\n```</answer>"
    assert isinstance(style.parse(PROPOSE, twice), Malformed)


def test_chat_prompt_shows_every_given_and_every_wanted_section() -> None:
    rendered = STYLES["chat"].render(PROPOSE)
    assert isinstance(rendered, list)
    request, reference, again = rendered
    for piece in ("Invent.", "```input", "<answer>"):
        assert piece in request["content"]
    assert reference["role"] == "assistant"
    assert STYLES["chat"].parse(PROPOSE, reference["content"]) == {"program": "def f(x): return x", "input": "1"}
    assert again["role"] == "user"


@pytest.mark.parametrize("label", ["python", "program", "Python"])
def test_chat_reads_a_program_under_either_label(label: str) -> None:
    style = ChatStyle()
    code, arguments = f"```{label}\ndef f(x): return x\n```", "```input\n1\n```"
    assert style.parse(PROPOSE, code + arguments) == {"program": "def f(x): return x", "input": "1"}
    assert isinstance(style.parse(PROPOSE, code), Malformed)
    assert isinstance(style.parse(PROPOSE, code + "```python\ndef g(x): return 1\n```" + arguments), Malformed)


def test_chat_shows_a_question_answered_in_the_form_it_asks_for_before_the_real_one() -> None:
    style = ChatStyle()
    example, reply, question = style.render(SOLVE)
    assert [m["role"] for m in (example, reply, question)] == ["user", "assistant", "user"]
    assert style.parse(SOLVE, reply["content"]) == {"answer": "5"}
    assert "Solve." in question["content"] and "Solve." not in example["content"]


def test_chat_opens_a_solvers_reply_with_its_reasoning_and_reads_the_answer_behind_it() -> None:
    style = ChatStyle()
    assert style.opening(PROPOSE) == CompactStyle().opening(SOLVE) == ""
    assert style.parse(SOLVE, style.opening(SOLVE) + "1 + 1</think>\n<answer>2</answer>") == {"answer": "2"}


def test_answer_tags_and_fences_come_off() -> None:
    assert extract_answer("a <answer> 4 </answer> b") == "4"
    assert extract_answer("no tag") is None
    assert strip_fence("```python\nx\n```") == "x"
    assert strip_fence(" x ") == "x"


@given(st.text(max_size=300))
def test_no_text_makes_a_style_raise(text: str) -> None:
    for style in STYLES.values():
        for prompt in (PROPOSE, SOLVE):
            parsed = style.parse(prompt, text)
            assert isinstance(parsed, Malformed) or set(parsed) == {s.name for s in prompt.returns}


def test_a_compact_solver_may_write_steps_before_its_answer() -> None:
    style = CompactStyle()
    assert style.parse(SOLVE, "3*4=12;12-5@answer:7") == {"answer": "7"}
    assert style.parse(SOLVE, "@answer:7") == {"answer": "7"}
    assert style.parse(SOLVE, "7") == {"answer": "7"}
    literal = style.render_return((Section("answer", "'@answer:'"),))
    assert style.parse(SOLVE, literal) == {"answer": "'@answer:'"}
    worked = style.render_worked("'@'+'answer:'", Section("answer", "'@answer:'"))
    assert style.parse(SOLVE, worked) == {"answer": "'@answer:'"}
    assert isinstance(style.parse(PROPOSE, "x@program:y@input:z"), Malformed)
