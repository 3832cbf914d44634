"""What a task is: a subject, and a haiku about it. Whatever can be told by rule is not left to a model."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task

KNOWN = {
    "rain": "Drops drum on the roof\nall the gutters learn to sing\nthe street is a stream",
    "winter": "White fields hold their breath\none crow writes a line of tracks\nthe pond keeps its ice",
    "a train": "Late light on the rails\na whistle bends round the hill\nwindows full of sleep",
    "the moon": "Silver coin of night\nthe lake has put you away\nand the heron wades",
    "an old dog": "Grey muzzle, slow tail\nhe still chases in his dreams\nrabbits long since gone",
    "coffee": "Steam climbs from the cup\nthe kitchen wakes up bitter\nfirst sip, then the day",
}
"""Subjects with a haiku that is right; for any other of these subjects it is wrong. No prompt shows them."""
SUBJECT = Section("subject", "one to four words in lower case")
SYLLABLES = ((3, 8), (5, 10), (3, 8))
"""Fewest and most of each line. They are counted by groups of vowels, hence the room around 5, 7 and 5."""


class Haiku:
    """Drafts have the field `subject`; the answer is three lines."""

    name = "haiku"
    kinds: tuple[str, ...] = ("haiku",)
    verifier = "haiku"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless subjects from `KNOWN`."""
        while True:
            yield Draft(self.name, "haiku", {"subject": rng.choice(list(KNOWN))})

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from its subject."""
        if kind not in self.kinds or set(fields) != {"subject"} or not isinstance(fields["subject"], str):
            return Malformed("a draft of the kind haiku has the field subject, a text", repr(fields)[:200])
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Ask for a subject."""
        shown = tuple((Section("subject", task.draft["subject"]),) for task in references)
        instruction = "Name a subject for a haiku, unlike the earlier ones."
        return Prompt("propose", self.name, kind, instruction, references=shown, returns=(SUBJECT,))

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The subject in the proposer's text."""
        return self.draft(kind, {name: text.strip() for name, text in sections.items()})

    def solve_prompt(self, task: Task) -> Prompt:
        """Ask for the poem."""
        instruction = "Write a haiku about this subject: three lines of about 5, 7 and 5 syllables."
        givens, returns = (Section("subject", task.given["subject"]),), (Section("answer", "three lines"),)
        return Prompt("solve", self.name, task.kind, instruction, givens=givens, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """Three lines of words, of about the right length."""
        text = "\n".join(line.strip() for line in sections["answer"].strip().splitlines())
        if why := misshapen(text):
            return Malformed(why, sections["answer"])
        return Answer({"answer": text}, text)

    def known_answers(self, task: Task) -> list[tuple[str, bool]]:
        """The known poem of the subject, and those of the others."""
        return [(poem, subject == task.given["subject"]) for subject, poem in KNOWN.items()]


def misshapen(text: str) -> str:
    """Why a text has not the form of a haiku; empty where it has."""
    lines = text.split("\n")
    if len(lines) != len(SYLLABLES):
        return "a haiku has three lines"
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z' ,.;!?-]{2,59}", line) for line in lines):
        return "a haiku is of words alone"
    if len(set(re.findall("[a-z]+", text.lower()))) < 8:
        return "a haiku of fewer than eight different words says nothing"
    for line, (fewest, most) in zip(lines, SYLLABLES, strict=True):
        if not fewest <= len(re.findall("[aeiouy]+", line.lower())) <= most:
            return "a haiku's lines have about 5, 7 and 5 syllables"
    return ""
