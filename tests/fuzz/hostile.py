"""Texts that parsers dislike, and the bounds that a parser must keep to on each of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hypothesis import strategies as st

CPU_SECONDS = 1.0
MEMORY_MB = 256.0
"""What reading one text may take at most; every text here has fewer than 70,000 characters."""

COMMON = ["\n", " ", "", "\t", "\r\n", "\0", "\x1b[31m", "\u2028", "\ud800", "é", "𝔸", "‮", "'", '"', "\\", "`", "#"]
NUMBERS = ["0", "1", "-1", "1e999", "9" * 5000, "0x" + "f" * 999, "1_000", "1.5e-3", "nan", "inf", "1" + "0" * 400]
BRACKETS = ["(", ")", "[", "]", "{", "}", "((", "))", "⟨", "⟩"]
MARKUP = ["@", "@@", "@program:", "@input:", "@answer:", "@message:", "@new", "<answer>", "</answer>", "<think>"]
MARKUP += ["```", "```python\n", "```input\n", "```answer\n", "\n```", "</think>", "<|im_end|>", "</s>"]
PYTHON = ["def f(x):", "\n ", "return ", "x", "lambda x:", "for i in x:", "import os", "__class__", ".", ",", "=", "**"]
PYTHON += ["f'{x}'", "f'{", "b''", "'''", "if ", "else ", "while True:", "yield ", "await ", "async ", "*", "/", ":="]
PYTHON += ["~", "not ", "float('nan')", "complex(1,2)", "set()", "1+2j", "...", "match x:\n case ", "%", "'a'*9", ":"]
MATH = ["x", "y", "+", "-", "*", "/", "^", "**", "=", "<=", "sin", "\\frac", "\\sqrt", "\\boxed{", "\\left", "\\right"]
MATH += ["$", "$$", "\\(", "\\)", "\\[", "\\]", "\\pm", "|", "!", "log_", "\\begin{pmatrix}", "\\end{pmatrix}", "&"]
MATH += [
    "the answer is ",
    "no solution",
    "oo",
    "E",
    "pi",
    "\\text{",
    "_",
    "\\\\",
    "\\binom",
    "value=",
    "expand ",
    ",",
    ".",
]
LEAN = [
    ":",
    ":=",
    "by ",
    "fun ",
    "∀ ",
    "∃ ",
    "→",
    "∧",
    "(p q : Prop)",
    "sorry",
    "/-",
    "-/",
    "--",
    "axiom ",
    "«",
    "»",
    "@",
]
LEAN += [
    "end",
    "theorem t",
    "#eval ",
    "open ",
    "match ",
    "with",
    "|",
    "=>",
    "·",
    "<;>",
    "decide",
    "rfl",
    "exact ",
    "1 ",
]
COMMANDS = [
    "universe u\n",
    "set_option maxRecDepth 9\n",
    "namespace goal\n",
    "macro ",
    "notation ",
    "import Init\n",
    "prelude\n",
]
COMMANDS += [
    "variable (q : Prop)\n",
    "\n#exit\n",
    "@[simp] ",
    "attribute ",
    "instance : ",
    "opaque ",
    "def f : ",
    "mutual\n",
]
CONFIG = ["steps", "play", ".", "=", "[", "]", "[[", "]]", "{", "}", ",", "true", "'", '"', '"""', "'''", "\n", "seed"]
CONFIG += ["trainer", "learning_rate", "model", "name", "1979-05-27T07:32:00Z", "domains", "judge", "[play]\n"]


def texts(words: Sequence[str]) -> st.SearchStrategy[str]:
    """Strings of `words` and of what no parser likes: mixed, repeated very often, nested very deeply, or any at all."""
    word = st.sampled_from([*words, *COMMON, *NUMBERS, *BRACKETS])
    mixed = st.lists(word, max_size=40).map("".join)
    many = st.builds(_repeated, mixed, st.lists(word, min_size=1, max_size=3).map("".join), mixed)
    nested = st.builds(_nested, st.sampled_from(["(", "[", "{", "⟨", "-", "f(", "[[", "{1:", "\\frac{", "not "]), mixed)
    return st.one_of(mixed, many, nested, st.text(max_size=60))


def _repeated(before: str, unit: str, after: str) -> str:
    return before + unit * (40_000 // len(unit or " ")) + after


def _nested(opening: str, middle: str) -> str:
    closing = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}
    ends = "".join(closing.get(character, "") for character in reversed(opening))
    depth = 20_000 // len(opening)
    return opening * depth + middle + ends * depth


class TooLong(Exception):
    """A parser used more CPU time than it may. Not one of the errors that parsers handle."""


@contextmanager
def bounded() -> Iterator[None]:
    """Fails where the body takes more than `CPU_SECONDS` of this process or `MEMORY_MB` more memory than before."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong(f"more than {CPU_SECONDS} s of CPU time")

    _forget_peak()
    before = _status_mb("VmRSS")
    old = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, old)
    grown = _status_mb("VmHWM") - before
    assert grown < MEMORY_MB, f"{grown:.0f} MiB more memory"


def _forget_peak() -> None:
    """Let the kernel measure the peak of resident memory anew from here (proc(5), `clear_refs`)."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
