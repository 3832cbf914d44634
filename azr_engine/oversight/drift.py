"""How far what is proposed has moved from what was proposed at the start, by the words that proposals are made of.

The Jensen-Shannon divergence between two bags of words, in bits: 0 for the same shares, 1 where no word is shared.
Numbers count as one word, and so do quoted texts, so that other constants are no drift. Small samples diverge by
chance; what chance alone would give is taken off: with n and m words drawn from the same shares of v words, the mean of
the divergence is (v - 1) (1/n + 1/m) / (8 ln 2) bits, by its expansion to second order around equal shares.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\w.]*|[^\W\d]\w*|[^\w\s]")

Bag = Counter[str]


def words(texts: Iterable[str]) -> Bag:
    """How often each word comes up."""
    bag: Bag = Counter()
    for text in texts:
        bag.update(map(_abstract, _WORD.findall(text)))
    return bag


def divergence(start: Bag, now: Bag) -> float | None:
    """Bits beyond what chance explains, in [0, 1]; None where one of the bags is empty."""
    n, m = start.total(), now.total()
    if not n or not m:
        return None
    vocabulary = start.keys() | now.keys()
    bits = math.fsum(_terms(start[word] / n, now[word] / m) for word in vocabulary)
    chance = (len(vocabulary) - 1) * (1 / n + 1 / m) / (8 * math.log(2))
    return min(1.0, max(0.0, bits - chance))


def _terms(p: float, q: float) -> float:
    """One word's part of half KL(p, mean) and half KL(q, mean)."""
    mean = (p + q) / 2
    return sum(0.5 * x * math.log2(x / mean) for x in (p, q) if x > 0.0)


def _abstract(word: str) -> str:
    if word[0] in "'\"":
        return "''" if len(word) > 1 else word
    return "0" if word[0].isdigit() else word
