"""The watch over a run: alarms when a domain starves, the proposer's entropy dries up, or the policy drifts too far.

An alarm is raised when a figure crosses its limit and not again until it has been back inside. What an alarm does is
for plugins to say; without any, it is recorded and the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.types import Alarm

BASELINE_STEPS = 5
"""Steps whose mean is the entropy that later ones are compared with."""
MEMORY = 0.8
"""Weight of the past in the averaged entropy."""


class WatchConfig(BaseModel):
    """Limits of the watch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    starvation_steps: Annotated[
        int, Field(ge=0, description="Steps over which a domain's effective tasks are counted; 0: no alarm.")
    ] = 20
    starvation_floor: Annotated[
        float, Field(ge=0, description="Effective tasks per step under which a domain starves.")
    ] = 0.5
    entropy_share: Annotated[
        float, Field(ge=0, le=1, description="Share of its first entropy under which a proposer dries up; 0: no alarm.")
    ] = 0.5
    skipped_updates: Annotated[
        int, Field(ge=1, description="Updates in a row whose gradient is not finite that stop the run.")
    ] = 3
    kl_budget: Annotated[
        float | None, Field(gt=0, description="KL to the starting policy, in nats per token, that raises an alarm.")
    ] = None


class Watch:
    """Hears each step's figures and answers with alarms."""

    def __init__(self, config: WatchConfig) -> None:
        self._config = config
        self._effective: dict[str, list[int]] = {}
        self._entropy: dict[str, tuple[int, float, float]] = {}
        self._raised: set[str] = set()
        self._skipped = 0

    def hear(
        self,
        step: int,
        effective: Mapping[str, int],
        entropy: Mapping[str, float | None],
        kl_base: float,
        *,
        applied: bool = True,
    ) -> list[Alarm]:
        """The alarms of one step.

        Args:
            effective: tasks that carried a gradient, for each domain.
            entropy: the proposer's entropy in nats per token, for each domain; None where nothing was proposed.
            kl_base: KL(policy, starting policy) in nats per token.
            applied: whether the step's update, if any, moved the weights.
        """
        alarms = [alarm for name, count in effective.items() if (alarm := self._starvation(step, name, count))]
        alarms += [alarm for name, value in entropy.items() if (alarm := self._drying(step, name, value))]
        budget = self._config.kl_budget
        if budget is not None and self._crossed("kl", kl_base > budget):
            message = f"KL to the starting policy is {kl_base:.3f}, over its budget of {budget}"
            alarms.append(Alarm("kl_budget", step, message, "critical"))
        self._skipped = 0 if applied else self._skipped + 1
        if self._skipped >= self._config.skipped_updates:
            message = f"{self._skipped} updates in a row had no finite gradient; lower trainer.learning_rate"
            alarms.append(Alarm("diverged", step, message, "critical"))
        elif self._skipped:
            alarms.append(Alarm("update_skipped", step, "the gradient was not finite; the weights stay", "warning"))
        return alarms

    def _starvation(self, step: int, domain: str, count: int) -> Alarm | None:
        span = self._config.starvation_steps
        if not span:
            return None
        recent = self._effective[domain] = [*self._effective.get(domain, []), count][-span:]
        starving = len(recent) == span and sum(recent) < self._config.starvation_floor * span
        if not self._crossed(f"starvation/{domain}", starving):
            return None
        message = f"domain {domain} had {sum(recent)} effective tasks in {span} steps, under its floor"
        return Alarm("starvation", step, message)

    def _drying(self, step: int, domain: str, value: float | None) -> Alarm | None:
        if value is None or not self._config.entropy_share:
            return None
        n, first, average = self._entropy.get(domain, (0, 0.0, value))
        n += 1
        if n <= BASELINE_STEPS:
            first += (value - first) / n
        average = MEMORY * average + (1.0 - MEMORY) * value
        self._entropy[domain] = (n, first, average)
        dry = n > BASELINE_STEPS and average < self._config.entropy_share * first
        if not self._crossed(f"entropy/{domain}", dry):
            return None
        message = f"the proposer's entropy in domain {domain} fell from {first:.3f} to {average:.3f} nats per token"
        return Alarm("entropy", step, message)

    def _crossed(self, key: str, outside: bool) -> bool:
        """Whether the figure has just left its range."""
        new = outside and key not in self._raised
        (self._raised.add if outside else self._raised.discard)(key)
        return new

    def state_dict(self) -> dict[str, Any]:
        """Everything that later alarms depend on."""
        return {
            "effective": self._effective,
            "entropy": {name: list(entry) for name, entry in self._entropy.items()},
            "raised": sorted(self._raised),
            "skipped": self._skipped,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._effective = {name: list(counts) for name, counts in state["effective"].items()}
        self._entropy = {name: (int(n), first, average) for name, (n, first, average) in state["entropy"].items()}
        self._raised = set(state["raised"])
        self._skipped = int(state["skipped"])
