"""The embedded model's tokenizer: bytes, plus one token for each frequent piece of scaffold.

Sequence length is what costs on a CPU, so prompt markers, `def f(x):return ` and function names are single tokens,
while digits, letters and operators stay single characters for arithmetic's sake. Any text round-trips.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS = "<pad>", "<s>", "</s>"

_MARKERS = [
    "@solve",
    "@propose",
    "@ref",
    "@new",
    "@python",
    "@math",
    "@lean",
    "@deduction",
    "@abduction",
    "@induction",
    "@error",
    "@prove",
    "@program:",
    "@input:",
    "@inputs:",
    "@output:",
    "@message:",
    "@pairs:",
    "@answer:",
    "@operation:",
    "@expression:",
    "@expressions:",
    "@arguments:",
    "@result:",
    "@statement:",
    "@proof:",
]
_PYTHON = [
    "def f(x):return ", "def f(x):\n ", "def f(x,y):return ", "def f(x,y):\n ", "\n return ", "\n a=", ":return ",
    "return ", "\n if ", "\n for i in ", " for i in ", " if ", " else ", " in ", " and ", " or ", "not ", "range(",
    "sum(", "len(", "max(", "min(", "abs(", "sorted(", "str(", "int(", "[::-1]", ".upper()", ".replace(", ".count(",
    ".find(", ".index(", "''.join(", "**", "//", "==", "!=", "<=", ">=", "+=", "->", ", ", "True", "False", "None",
    "ZeroDivisionError", "IndexError", "ValueError", "TypeError", "KeyError", "AttributeError", "NameError", "none",
]  # fmt: skip
_MATH = [
    "expand", "factor", "differentiate", "integrate", "solve", "substitute", "evaluate", "simplify", "sum", "gcd",
    "lcm", "mod", "value=", "lower=", "upper=", "modulus=", "other=", "order=", "*x", "sin(x)", "cos(x)",
    "exp(x)", "sin(", "cos(", "exp(", "log(", "sqrt(", "undefined", "no-solution", "divergent", "range", "each",
    "loop", "reverse", "sort", "times",
]  # fmt: skip
# No token for the negation sign alone: it is one of the characters that stand for raw bytes.
_LEAN = [
    "(p : Prop) : ", "(p q : Prop) : ", "(p q r : Prop) : ", " → ", " ∧ ", " ∨ ", " ↔ ", "→", "∧", "∨", "↔",
    "⟨", "⟩", "fun ", " => ", "Or.inl ", "Or.inr ", ".elim", "False", "∀", "∃", "ℕ", "Nat",
]  # fmt: skip


def scaffold_tokens() -> list[str]:
    """The multi-character tokens, without repetition, in vocabulary order."""
    return list(dict.fromkeys([*_MARKERS, *_PYTHON, *_MATH, *_LEAN]))


def build_tokenizer() -> PreTrainedTokenizerFast:
    """A fast tokenizer of 259 + `len(scaffold_tokens())` tokens, left-padding, without automatic specials."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: index for index, token in enumerate([PAD, BOS, EOS])}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in scaffold_tokens()])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer's files into `folder`."""
    build_tokenizer().save_pretrained(folder)
