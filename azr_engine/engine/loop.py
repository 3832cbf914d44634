"""The self-play loop: plan, propose, admit, solve, judge, reward, advantage, update, record.

Everything a step needs arrives in `Parts`; everything it leaves behind is in the run directory. Randomness is
derived from (seed, step, purpose), so a resumed run goes on exactly as it would have.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.curriculum.novelty import NoveltyGate
from azr_engine.curriculum.protocol import Cell, Curriculum
from azr_engine.engine import metrics as measure
from azr_engine.engine.advantages import ESTIMATORS
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import RunPaused, UserError
from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.protocols import Domain, Policy, Verifier
from azr_engine.engine.randomness import derived_rng, derived_seed
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.scoring import reward_episodes, reward_proposals, training_samples, varies
from azr_engine.engine.solving import Solver
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Alarm, Draft, Drop, Episode, Event, Proposal, Task
from azr_engine.trainer.protocol import Sample, Trainer, UpdateMetrics

LOOP_STATE = "loop.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop drives. `gate`, `observe` and `on_alarm` are the plugins' voices."""

    domains: Mapping[str, Domain]
    verifiers: Mapping[str, Verifier]
    policy: Policy
    trainer: Trainer
    curriculum: Curriculum
    reward: RewardRule
    proposer: Proposer
    solver: Solver
    store: TaskStore
    novelty: NoveltyGate
    run: RunDirectory
    gate: Callable[[Episode], Drop | None]
    observe: Callable[[Event], None]
    on_alarm: Callable[[Alarm], str]


class SelfPlay:
    """Runs steps until the configured number, the time, or `stop_requested` ends it."""

    def __init__(self, config: RunConfig, parts: Parts) -> None:
        self.config = config
        self.parts = parts
        self.step = 0
        self.stop_requested = False
        self._alarms: list[str] = []

    def resume(self) -> None:
        """Go back to the last checkpoint: weights, optimiser, curriculum, store and logs."""
        self.step = self.parts.run.recover()
        self.parts.store.rollback(self.step)
        folder = self.parts.run.latest_checkpoint()
        if folder is None:
            return
        self.parts.trainer.load(folder)
        state = json.loads((folder / LOOP_STATE).read_text(encoding="utf-8"))
        self.parts.curriculum.load_state_dict(state["curriculum"])

    async def play(self, report: Callable[[dict[str, Any]], None]) -> None:
        """Seed the store if no step was made yet, then step; `report` gets each step's metrics.

        Raises:
            RunPaused: too many faults or an alarm stopped the run; its state is saved.
            UserError: no seed of some domain could be admitted, or the disk is full.
        """
        deadline = time.monotonic() + self.config.minutes * 60 if self.config.minutes else None
        if self.step == 0:
            await self._seed()
        self._restore_novelty()
        while self.step < self.config.steps and not self.stop_requested:
            if deadline is not None and time.monotonic() >= deadline:
                break
            report(await self._one_step(self.step + 1))

    async def _one_step(self, step: int) -> dict[str, Any]:
        parts, config, clock = self.parts, self.config, measure.PhaseClock()
        self._alarms = []

        plan = self._plan(step)
        with clock.phase("propose"):
            proposed = parts.proposer.propose(plan, self._rng(step, "references"), self._seed_of(step, "propose"))
        with clock.phase("admit"):
            proposals = await parts.proposer.admit(proposed, step)
            drawn = await parts.proposer.draw(plan, self._rng(step, "draw"), step)
        tasks = [outcome for outcome in (*(p.outcome for p in proposals), *drawn) if isinstance(outcome, Task)]
        with clock.phase("solve"):
            tried = parts.solver.solve(tasks, self._seed_of(step, "solve"))
        with clock.phase("judge"):
            episodes = reward_episodes(await parts.solver.judge(tried), parts.reward)
            proposals = reward_proposals(proposals, {e.task.id: e for e in episodes}, parts.reward)
        with clock.phase("update"):
            samples = training_samples(proposals, self._gated(episodes, step), config.play.advantage)
            update = self._update(samples)
        self._observe_curriculum(episodes)
        faults, chances = measure.count_faults(proposals, episodes, drawn)
        with clock.phase("checkpoint"):
            parts.store.commit_step(
                step,
                tasks,
                proposals,
                [attempt for episode in episodes for attempt in episode.attempts],
                capacity=config.store.capacity,
            )
            line = self._metrics(step, clock, proposals, episodes, samples, update, faults)
            if step % config.checkpoint.every == 0 or step == config.steps or self.stop_requested:
                parts.run.save_checkpoint(step, self._write_checkpoint, line, config.checkpoint.keep)
        line = self._metrics(step, clock, proposals, episodes, samples, update, faults)
        parts.run.append_metrics(line)
        self._emit("step", step, {"faults": faults})
        self.step = step
        if chances and faults / chances > config.fault_limit:
            self._raise_alarm(
                Alarm("faults", step, f"{faults} of {chances} checks failed through no fault of the policy", "critical")
            )
            raise RunPaused(f"{faults} of {chances} checks in step {step} were verifier faults; see events.jsonl")
        return line

    def _plan(self, step: int) -> dict[Cell, int]:
        return self.parts.curriculum.plan(self._cells(), self.config.play.proposals, self._rng(step, "plan"))

    def _cells(self) -> list[Cell]:
        return [(name, kind) for name, domain in self.parts.domains.items() for kind in domain.kinds]

    async def _seed(self) -> None:
        """Admit grammar seeds until every cell has its number, in at most twenty rounds."""
        want = self.config.store.seeds
        for name, domain in self.parts.domains.items():
            stream = iter(domain.seeds(derived_rng(self.config.seed, 0, f"seeds/{name}")))
            found: dict[str, list[Task]] = {kind: [] for kind in domain.kinds}
            for _ in range(20):
                if all(len(tasks) >= want for tasks in found.values()):
                    break
                drafts: list[Draft] = [d for d, _ in zip(stream, range(2 * want * len(domain.kinds)), strict=False)]
                for task in await self.parts.proposer.admit_seeds(drafts):
                    if len(found[task.kind]) < want:
                        found[task.kind].append(task)
            if not any(found.values()):
                raise UserError(f"no seed task of the domain {name!r} was admitted; see events.jsonl")
            self.parts.store.add_seeds([task for tasks in found.values() for task in tasks])

    def _restore_novelty(self) -> None:
        """Rebuild the gate's memory from the store: it is a function of what was admitted."""
        for name, kind in self._cells():
            newest = self.parts.store.tasks(name, kind, self.config.novelty.window, newest_first=True)
            self.parts.novelty.restore(name, kind, reversed(newest))

    def _gated(self, episodes: list[Episode], step: int) -> list[Episode]:
        kept = []
        for episode in episodes:
            drop = self.parts.gate(episode)
            if drop is None:
                kept.append(episode)
            else:
                self._emit("group_dropped", step, {"task": episode.task.id, "reason": drop.reason})
        return kept

    def _update(self, samples: Mapping[Cell, list[Sample]]) -> UpdateMetrics | None:
        everything = [sample for group in samples.values() for sample in group]
        if not everything:
            return None
        clip_high = ESTIMATORS[self.config.play.advantage].clip_high or self.config.trainer.clip_low
        update = self.parts.trainer.update(everything, clip_high=clip_high, temperature=self.config.play.temperature)
        self.parts.policy.weight_version = self.parts.trainer.weight_version
        return update

    def _observe_curriculum(self, episodes: list[Episode]) -> None:
        by_cell: dict[Cell, list[Episode]] = {}
        for episode in episodes:
            by_cell.setdefault((episode.task.domain, episode.task.kind), []).append(episode)
        for cell, group in by_cell.items():
            scored = [e.scored for e in group if len(e.scored) > 1]
            values = [unbiased_learnability(sum(a.verdict.score for a in tries), len(tries)) for tries in scored]
            self.parts.curriculum.observe(
                cell,
                n_tasks=len(scored),
                n_effective=sum(varies(e) for e in group),
                learnability=sum(values) / len(values) if values else None,
            )

    def _metrics(
        self,
        step: int,
        clock: measure.PhaseClock,
        proposals: list[Proposal],
        episodes: list[Episode],
        samples: Mapping[Cell, list[Sample]],
        update: UpdateMetrics | None,
        faults: int,
    ) -> dict[str, Any]:
        total = sum(len(group) for group in samples.values())
        domains = {
            name: measure.domain_metrics(
                name, proposals, episodes, sum(len(g) for (d, _), g in samples.items() if d == name), total
            )
            for name in self.parts.domains
        }
        return measure.step_metrics(
            step=step,
            clock=clock,
            domains=domains,
            proposals=proposals,
            episodes=episodes,
            n_samples=total,
            update=update,
            faults=faults,
            alarms=self._alarms,
            weight_version=self.parts.trainer.weight_version,
        )

    def _write_checkpoint(self, folder: Path) -> None:
        self.parts.trainer.save(folder)
        state = {"curriculum": self.parts.curriculum.state_dict(), "seed": self.config.seed}
        (folder / LOOP_STATE).write_text(json.dumps(state), encoding="utf-8")

    def _raise_alarm(self, alarm: Alarm) -> None:
        self._alarms.append(alarm.name)
        self._emit("alarm", alarm.step, alarm.to_json())
        if self.parts.on_alarm(alarm) != "continue":
            raise RunPaused(f"alarm {alarm.name} in step {alarm.step}: {alarm.message}")

    def _emit(self, name: str, step: int, data: Mapping[str, Any]) -> None:
        event = Event(name, step, data)
        self.parts.run.append_event(event)
        self.parts.observe(event)

    def _rng(self, step: int, purpose: str) -> Any:
        return derived_rng(self.config.seed, step, purpose)

    def _seed_of(self, step: int, purpose: str) -> int:
        return derived_seed(self.config.seed, step, purpose)
