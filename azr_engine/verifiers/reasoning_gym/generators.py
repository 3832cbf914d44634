"""reasoning-gym's generators, each as a function from a number to an item, and its scorers kept from running text.

Some of the package's scorers hand the answer to Python's `eval`, directly or through `sympy.parse_expr`. Here `eval`
in those modules reads literals alone, and what would reach `parse_expr` must be a plain ASCII expression of our
own grammar first. Covered by a test that looks for such scorers in the installed package.
Not covered: an answer that merely takes long or much memory; scoring runs in a worker for that.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.util
import random
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.math.grammar import ParseError, parse

N_ITEMS = 2**31
"""Items are numbered from 0 up to this; generators that hold fewer repeat theirs."""

READ_LITERALS = frozenset(
    {"algorithmic.binary_matrix", "algorithmic.spiral_matrix", "algorithmic.string_insertion", "games.n_queens"}
)
"""Modules whose scorer calls `eval` on the answer."""
READ_EXPRESSIONS = frozenset(
    {
        "algebra.intermediate_integration", "algebra.polynomial_multiplication", "algebra.simple_integration",
        "games.countdown", "games.puzzle24",
    }
)  # fmt: skip
"""Modules whose scorer calls SymPy's `parse_expr` on the answer, which evaluates it."""

_BLOCK = 1000
UNUSABLE = {
    "composite": "it mixes others and has no items of its own",
    "figlet_font": "it reads a file for each item, which the workers cannot",
    "game_of_life_halting": "its scorer passes any text",
    "puzzle24": "its scorer does not look at which numbers an answer uses, so one answer passes for every item",
}
"""Generators that are not served, and why."""


def generator_names() -> list[str]:
    """The names of all generators, sorted; imports the package.

    Raises:
        UserError: the package is not installed.
    """
    if importlib.util.find_spec("reasoning_gym") is None:
        raise UserError("the domains rg:NAME need the package reasoning-gym: pip install azr-engine[reasoning-gym]")
    from reasoning_gym.factory import DATASETS

    return sorted(set(DATASETS) - set(UNUSABLE))


class Generator:
    """One generator with its default settings. Item `number` is the same in every process of one package version."""

    def __init__(self, name: str) -> None:
        from reasoning_gym.factory import create_dataset

        self._dataset: Any = create_dataset(name, seed=0, size=_BLOCK)
        self._module = type(self._dataset).__module__.removeprefix("reasoning_gym.")
        if self._module in READ_LITERALS:
            importlib.import_module(f"reasoning_gym.{self._module}").__dict__["eval"] = ast.literal_eval

    def item(self, number: int) -> dict[str, Any]:
        """The package's own entry: `question`, `answer` (None where only the scorer knows) and `metadata`."""
        import numpy as np

        block, index = divmod(number, _BLOCK)
        self._dataset.seed = self._dataset.config.seed = block * _BLOCK
        random.seed(number)  # a few generators draw from the global generators besides their own
        np.random.seed(number)
        entry: dict[str, Any] = self._dataset[index]
        return entry

    def score(self, entry: dict[str, Any], answer: str) -> float:
        """The package's score in [0, 1]; 0 for text that its scorer would have had to run."""
        if self._module in READ_EXPRESSIONS and not _is_expression(answer):
            return 0.0
        score = float(self._dataset.score_answer(answer, copy.deepcopy(entry)))
        return min(max(score, 0.0), 1.0)


def _is_expression(answer: str) -> bool:
    if not answer.isascii():
        return False
    try:
        parse(answer)
    except ParseError:
        return False
    return True
