"""The prompts of a run, rebuilt from its tasks: the store keeps what was written, not what was asked.

A prompt is a function of the task (or of the references), the domain and the style, so the installed domain renders
it again. Where the domain is not installed, or no longer understands the task, there is no prompt to show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain
from azr_engine.engine.solving import public
from azr_engine.engine.styles import STYLES, Style
from azr_engine.engine.types import Prompt, Task


class Prompts:
    """Renders what proposer and solver were asked."""

    def __init__(self, domains: Mapping[str, Domain], style: Style) -> None:
        self._domains = domains
        self._style = style

    @classmethod
    def of_run(cls, config: Mapping[str, Any]) -> Prompts:
        """With the domains that the run's plugins bring, as far as they are installed."""
        from azr_engine.engine.config import RunConfig
        from azr_engine.plugins.manager import Plugins

        try:
            settings = RunConfig.model_validate(config)
        except ValueError:
            settings = RunConfig()
        try:
            domains = Plugins(settings.plugins).domains(settings)
        except UserError:
            domains = {}
        return cls(domains, STYLES[_style_of(config.get("model", {}))])

    def solve(self, task: Task) -> str | None:
        """What the solver was asked."""
        domain = self._domains.get(task.domain)
        return self._render(lambda: domain.solve_prompt(public(task))) if domain else None

    def propose(self, domain: str, kind: str, references: Sequence[Task]) -> str | None:
        """What the proposer was asked, with the references that it was shown."""
        asked = self._domains.get(domain)
        return self._render(lambda: asked.propose_prompt(kind, references)) if asked else None

    def _render(self, ask: Callable[[], Prompt]) -> str | None:
        try:
            rendered = self._style.render(ask())
        except Exception:
            # A plugin's domain of another version may fail in any way on what an earlier one stored.
            return None
        if isinstance(rendered, str):
            return rendered
        return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in rendered)


def _style_of(model: Mapping[str, Any]) -> str:
    """The style's name: as configured, else as the model's azr.json says, else chat."""
    from azr_engine.engine.policies.loading import EMBEDDED, EMBEDDED_FOLDER

    name = str(model.get("name", EMBEDDED))
    style = model.get("style")
    if style is None:
        folder = EMBEDDED_FOLDER if name == EMBEDDED else Path(name)
        try:
            style = json.loads((folder / "azr.json").read_text(encoding="utf-8")).get("style")
        except (OSError, ValueError, AttributeError):
            style = None
    return style if style in STYLES else "chat"
