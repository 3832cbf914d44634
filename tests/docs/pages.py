"""The command blocks of README and docs: where they stand, what they call, what they say is printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]
SHELL = ("console", "bash", "sh", "shell")
PROGRAMS = "azr-engine|make|pip|pytest|python|python3|echo|cat|apt-get|docker|torchrun|deepspeed|vllm|ray|cd|export"
_COMMAND = re.compile(rf"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:{PROGRAMS})(?= |$)")
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$|((?:^    [^\n]*\n|^\n(?=    ))+)", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|\| |&& )(?:[A-Z_]+=\S+ )*(?:azr-engine|[^|#]* (?:-m|--module) azr_engine)(?= |$)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line as a page shows it.

    Attributes:
        page: the file's path below the repository.
        text: continued lines joined, without prompt and comment.
        shown: what the page says is printed, where it says so.
    """

    page: str
    text: str
    shown: str = ""

    def calls(self) -> list[list[str]]:
        """The words behind each call of `azr-engine` in it."""
        found = []
        for part in re.split(r"(?<= )(?=\| )|(?<= )(?=&& )", self.text):
            at = _CALL.search(part)
            if at:
                words = shlex.split(part[at.end() :], comments=True)
                # Three dots at the end stand for more options, unless they stand for the value of one.
                more = words[-1:] == ["..."] and not words[-2].startswith("--")
                found.append(words[:-1] if more else words)
        return found

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def commands() -> list[Command]:
    """Every command of every page, in order."""
    return [command for page in PAGES for block in _blocks(page) for command in _commands(page, block)]


def _blocks(page: Path) -> Iterator[str]:
    for fence, fenced, indented in _BLOCK.findall(page.read_text(encoding="utf-8")):
        text = fenced or re.sub("^    ", "", indented, flags=re.MULTILINE).strip("\n")
        language = fence.split(" ")[0]
        if language in SHELL or (language in ("", "text") and _COMMAND.match(text)):
            yield text


def _commands(page: Path, block: str) -> Iterator[Command]:
    """With a prompt anywhere in a block, lines without one are what is printed; without, every line is a command."""
    lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    prompts = any(line.startswith("$ ") for line in lines)
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if prompts and not line.startswith("$ "):
            found[-1][1].append(line)
        else:
            found.append((line.removeprefix("$ "), []))
    for text, shown in found:
        yield Command(str(page.relative_to(ROOT)), _without_comment(text), "\n".join(shown))


def _without_comment(line: str) -> str:
    return re.sub(r" +# .*$", "", " ".join(line.split()) if "'" not in line else line).strip()
