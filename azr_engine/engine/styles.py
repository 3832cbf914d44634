"""Prompt styles: how a `Prompt` becomes text, and how the model's text becomes named sections again.

`compact` spends a few tokens on scaffold and suits the embedded model; `chat` writes words for instruct and base
models and expects its sections in an `<answer>` with fenced blocks. A style knows nothing of any domain: names
and descriptions come from the prompt. Neither style executes or interprets what it parses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from azr_engine.engine.protocols import Rendered
from azr_engine.engine.types import Malformed, Prompt, Section

MAX_TEXT_CHARACTERS = 65_536

_LABELS = {"program": "python"}
"""Labels of blocks that are not their section's name."""

_EXAMPLE = ("What is 2 + 3?", "<think>3 more than 2 is 5.</think>\n<answer>5</answer>")
"""A question that belongs to no domain, and a reply to it in the form that is asked for."""

_NAMES = {label: name for name, label in _LABELS.items()}


class Style(Protocol):
    """Renders prompts and finds the returned sections in a completion."""

    name: str

    def render(self, prompt: Prompt) -> Rendered:
        """The prompt as text or messages."""
        ...

    def opening(self, prompt: Prompt) -> str:
        """How the reply begins; the model goes on from there, and its text is read with this before it."""
        ...

    def render_return(self, sections: tuple[Section, ...]) -> str:
        """The completion a perfect model would write; the bootstrap trains on it."""
        ...

    def parse(self, prompt: Prompt, text: str) -> Mapping[str, str] | Malformed:
        """The sections of `prompt.returns` found in `text`."""
        ...


class CompactStyle:
    """`@solve@python@deduction@program:...@input:...@answer:` and the answer's text after it.

    A solver may write steps first: then its answer is what stands behind a marker of its own, as in
    `3*4=12;12-5@answer:7`. Each marker is one token of the embedded model's tokenizer. A literal `@` in a text is
    doubled.
    """

    name = "compact"

    def render(self, prompt: Prompt) -> str:
        """One line of markers and texts, ending with the first returned section's marker."""
        head = f"@{prompt.role}@{prompt.domain}@{prompt.kind}"
        references = "".join("@ref" + self._sections(reference) for reference in prompt.references)
        new = "@new" if prompt.role == "propose" else ""
        return f"{head}{references}{self._sections(prompt.givens)}{new}@{prompt.returns[0].name}:"

    def opening(self, prompt: Prompt) -> str:
        """Nothing; the prompt itself ends with a marker."""
        return ""

    def render_return(self, sections: tuple[Section, ...]) -> str:
        """The first section's text, then each further section behind its marker."""
        return _escape(sections[0].text) + self._sections(sections[1:])

    def render_worked(self, steps: str, section: Section) -> str:
        """The completion of a solver that works `steps` out before the answer."""
        return _escape(steps) + self._sections((section,))

    def parse(self, prompt: Prompt, text: str) -> Mapping[str, str] | Malformed:
        """Split `text` at the markers of the expected sections, which must come once and in order."""
        if len(text) > MAX_TEXT_CHARACTERS:
            return Malformed("oversize", text[:200])
        names = [section.name for section in prompt.returns]
        found: dict[str, str] = {}
        rest = text
        if prompt.role == "solve" and (end := re.search(rf"(?<!@)(?:@@)*@{re.escape(names[0])}:", text)):
            rest = text[end.end() :]
        for name, following in zip(names, [*names[1:], None], strict=True):
            if following is None:
                piece, rest = rest, ""
            else:
                piece, marker, rest = rest.partition(f"@{following}:")
                if not marker:
                    return Malformed(f"section {following!r} is missing", text)
            if re.search(r"(?<!@)(?:@@)*@(?!@)", piece):
                return Malformed(f"unexpected marker in section {name!r}", text)
            found[name] = piece.replace("@@", "@")
        return found

    @staticmethod
    def _sections(sections: tuple[Section, ...]) -> str:
        return "".join(f"@{section.name}:{_escape(section.text)}" for section in sections)


def _escape(text: str) -> str:
    return text.replace("@", "@@")


class ChatStyle:
    """Words for language models: reasoning in `<think>`, the result in `<answer>`, several sections fenced.

    Parsing is tolerant of missing closing tags and of prose around, and unambiguous: the last `<answer>` counts,
    and a section that appears twice inside it with different texts is malformed. The block of a program is labelled
    `python`, which models write there whatever they are told; `program` is understood as well.
    """

    name = "chat"

    def render(self, prompt: Prompt) -> list[dict[str, str]]:
        """Instruction, givens and the form of the reply, then each reference as if the model had just written it.

        A small model follows what it seems to have done before much better than a description, so a question comes
        after one that seems answered already.
        """
        parts = [prompt.instruction]
        parts += [f"### {section.name.capitalize()}\n{self._block(section)}" for section in prompt.givens]
        parts.append(self._form(prompt.returns))
        messages = [{"role": "user", "content": "\n\n".join(parts)}]
        if prompt.role == "solve":
            question, reply = _EXAMPLE
            messages = [
                {"role": "user", "content": f"{question}\n\n{self._form((Section('answer', 'a number'),))}"},
                {"role": "assistant", "content": reply},
                *messages,
            ]
        for reference in prompt.references:
            messages.append({"role": "assistant", "content": self.render_return(reference)})
            messages.append({"role": "user", "content": "Another one, unlike the earlier ones."})
        return messages

    def opening(self, prompt: Prompt) -> str:
        """A solver's reply begins with its reasoning, or a small model forgets what form was asked for."""
        return "<think>" if prompt.role == "solve" else ""

    def render_return(self, sections: tuple[Section, ...]) -> str:
        """The `<answer>` with these sections."""
        body = sections[0].text if len(sections) == 1 else "\n".join(self._block(section) for section in sections)
        return f"<answer>\n{body}\n</answer>"

    def parse(self, prompt: Prompt, text: str) -> Mapping[str, str] | Malformed:
        """Sections from the last `<answer>`, or from the whole text when it has fenced blocks and no tag."""
        if len(text) > MAX_TEXT_CHARACTERS:
            return Malformed("oversize", text[:200])
        names = [section.name for section in prompt.returns]
        body = extract_answer(text)
        if body is None and len(names) == 1:
            return Malformed("no <answer> in the reply", text)
        body = text.rpartition("</think>")[2] if body is None else body
        if len(names) == 1:
            return {names[0]: strip_fence(body)}
        found: dict[str, str] = {}
        for label, block in re.findall(r"```[ \t]*([A-Za-z_]+)[ \t]*\r?\n(.*?)(?:\r?\n)?```", body, re.DOTALL):
            name = _NAMES.get(label.lower(), label.lower())
            if name in names:
                if found.get(name, block) != block:
                    return Malformed(f"section {name!r} is given twice", text)
                found[name] = block
        missing = [name for name in names if name not in found]
        return Malformed(f"section {missing[0]!r} is missing", text) if missing else found

    @staticmethod
    def _block(section: Section) -> str:
        return f"```{_LABELS.get(section.name, section.name)}\n{section.text}\n```"

    def _form(self, returns: tuple[Section, ...]) -> str:
        if len(returns) == 1:
            return (
                "Think step by step inside <think></think>, then write only the result inside <answer></answer>: "
                f"{returns[0].text}"
            )
        wanted = "\n".join(self._block(section) for section in returns)
        return (
            "Think inside <think></think> if it helps, then reply in this form, with each block filled in:\n"
            f"<answer>\n{wanted}\n</answer>"
        )


def extract_answer(text: str) -> str | None:
    """What stands in the last `<answer>` of `text` (closing tag optional); None without such a tag."""
    _, tag, rest = text.rpartition("<answer>")
    return rest.partition("</answer>")[0].strip() if tag else None


def strip_fence(text: str) -> str:
    """`text` without one fence of backticks around all of it."""
    match = re.fullmatch(r"\s*```[A-Za-z_]*[ \t]*\r?\n(.*?)\r?\n?```\s*", text, re.DOTALL)
    return match.group(1) if match else text.strip()


STYLES: dict[str, Style] = {"compact": CompactStyle(), "chat": ChatStyle()}
