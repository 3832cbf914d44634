"""The self-play loop: plan, propose, admit, solve, judge, reward, advantage, update, record.

Everything a step needs arrives in `Parts`; everything it leaves behind is in the run directory. Randomness is
derived from (seed, step, purpose), so a resumed run goes on exactly as it would have.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from azr_engine.curriculum.protocol import Cell, PlansReplay
from azr_engine.engine import metrics as measure
from azr_engine.engine.advantages import ESTIMATORS
from azr_engine.engine.bonus import pay_bonuses
from azr_engine.engine.config import RunConfig
from azr_engine.engine.distrust import Distrust
from azr_engine.engine.errors import RunPaused
from azr_engine.engine.heap import release_freed_memory
from azr_engine.engine.observing import tell_anchors, tell_curriculum
from azr_engine.engine.parts import Parts
from azr_engine.engine.randomness import derived_rng, derived_seed
from azr_engine.engine.run_state import RunState, Stateful
from azr_engine.engine.scoring import reward, training_samples, varies
from azr_engine.engine.starting import restore_novelty, seed_store
from azr_engine.engine.types import Alarm, Episode, Event, Rejection, Task
from azr_engine.trainer.protocol import Sample, UpdateMetrics
from azr_engine.trainer.schedule import step_size

ALWAYS_STOP = ("faults", "diverged")
"""Alarms that pause a run whatever the plugins say."""

Between = Callable[[int], Awaitable[None]]


class SelfPlay:
    """Runs steps until the configured number, the time, or `stop_requested` ends it."""

    def __init__(self, config: RunConfig, parts: Parts) -> None:
        self.config = config
        self.parts = parts
        self.distrust = Distrust(parts.domains, parts.verifiers, config.judge.honeypots)
        own: dict[str, Stateful] = {
            "curriculum": parts.curriculum,
            "anchors": parts.anchors,
            "quarantine": parts.quarantine,
            "watch": parts.watch,
        }
        self._state = RunState(parts.policy, parts.trainer, {**own, **self.distrust.stateful()}, config.seed)
        self.step = 0
        self.stop_requested = False
        self._progress = 0.0

    def resume(self) -> None:
        """Go back to the last checkpoint: weights, optimiser, curriculum, store and logs."""
        self.step = self.parts.run.recover()
        self.parts.store.rollback(self.step)
        folder = self.parts.run.latest_checkpoint()
        if folder is not None:
            self._state.read(folder)

    async def play(self, report: Callable[[dict[str, Any]], None], between: Between | None = None) -> None:
        """Seed the store if no step was made yet, then step.

        Args:
            report: gets each step's metrics.
            between: awaited with the number of steps made, before the first step and after each; its time is not
                counted against the configured minutes.

        Raises:
            RunPaused: too many faults or an alarm stopped the run; its state is saved.
            UserError: no seed of some domain could be admitted, or the disk is full.
        """
        parts = self.parts
        seconds, seconds_in_all = 0.0, self.config.minutes * 60 if self.config.minutes else math.inf
        if self.step == 0:
            n_seeds, seed = self.config.store.seeds, self.config.seed
            await seed_store(parts.store, parts.proposer, parts.domains, parts.cells, n_seeds, seed)
        restore_novelty(parts.novelty, parts.store, parts.cells, self.config.novelty.window)
        if between is not None:
            await between(self.step)
        while self.step < self.config.steps and not self.stop_requested and seconds < seconds_in_all:
            line = await self._one_step(self.step + 1)
            seconds += line["seconds"]
            self._progress = seconds / seconds_in_all
            report(line)
            if between is not None:
                await between(self.step)

    async def _one_step(self, step: int) -> dict[str, Any]:
        parts, config, clock = self.parts, self.config, measure.PhaseClock()

        plan = self._plan(step)
        with clock.phase("propose"):
            proposed = parts.proposer.propose(plan, self._rng(step, "references"), self._seed_of(step, "propose"))
        with clock.phase("admit"):
            proposals = await parts.proposer.admit(proposed, step)
            drawn = await parts.proposer.draw(plan, self._rng(step, "draw"), step)
            anchors = await self._anchors(step)
        tasks = [outcome for outcome in (*(p.outcome for p in proposals), *drawn) if isinstance(outcome, Task)]
        ids = {task.id for task in tasks}
        new = [*tasks, *(a for a in anchors if isinstance(a, Task) and a.id not in ids)]
        with clock.phase("solve"):
            traps = self.distrust.honeypots(new, self._rng(step, "honeypots"))
            tried = parts.solver.solve([*new, *self._earlier(step), *traps], self._seed_of(step, "solve"))
        with clock.phase("judge"):
            judged = await parts.solver.judge(tried)
            judged, trapped = judged[: len(judged) - len(traps)], judged[len(judged) - len(traps) :]
            chance, rates = self._rng(step, "reward"), self.distrust.rates
            proposals, episodes = reward(proposals, judged, parts.reward, chance, rates)
            episodes = pay_bonuses(episodes, parts.reward, parts.bonus)
        with clock.phase("update"):
            lessons = proposals if parts.proposer.learns else []
            samples = training_samples(
                lessons, self._gated(episodes, step), config.play.advantage, config.play.propose_weight
            )
            update = self._update(samples)
        fresh, anchored, replayed = episodes[: len(tasks)], episodes[len(tasks) : len(new)], episodes[len(new) :]
        tell_curriculum(parts.curriculum, plan, fresh, self.distrust.rates)
        tell_anchors(parts.anchors, anchored)
        retired = self._settle(episodes, step)
        played = measure.Played(
            proposals,
            [*drawn, *anchors],
            fresh,
            anchored,
            replayed,
            samples,
            trapped,
            retired=Counter(task.domain for task in retired),
            coverage={name: parts.novelty.coverage(name) for name in parts.domains},
        )
        alarms = self._alarms(step, played, update)
        restored = self._roll_back(step, alarms)
        with clock.phase("checkpoint"):
            known = parts.store.known_ids(task.id for task in new)
            parts.store.commit_step(
                step,
                {task.id: task for task in new if task.id not in known}.values(),
                proposals,
                [attempt for episode in episodes for attempt in episode.attempts],
                capacity=config.store.capacity,
                retired=[task.id for task in retired],
            )
            line = measure.step_metrics(
                step=step,
                clock=clock,
                domains=list(parts.domains),
                played=played,
                update=update,
                alarms=[alarm.name for alarm in alarms],
                weight_version=parts.trainer.weight_version,
            )
            first = step == 1 and bool(config.oversight.rollback_on)
            if step % config.checkpoint.every == 0 or step == config.steps or self.stop_requested or restored or first:
                spared = self.distrust.calm_step(step) if config.oversight.rollback_on else None
                # What lies between is of the trouble, and must never be gone back to.
                keep = 1 if restored else config.checkpoint.keep
                parts.run.save_checkpoint(step, self._state.write, line, keep, spared)
            release_freed_memory()
        line |= clock.times()
        parts.run.append_metrics(line)
        self._emit("step", step, {"faults": line["faults"]})
        self.step = step
        for alarm in alarms:
            self._raise_alarm(alarm, restored)
        return line

    async def _anchors(self, step: int) -> list[Task | Rejection]:
        """Fresh tasks from the seeds of the domains that the policy proposes in."""
        parts, rng = self.parts, self._rng(step, "anchors")
        own = [cell for cell in parts.cells if parts.proposer.proposes(parts.domains[cell[0]])]
        return await parts.proposer.anchors(parts.anchors.plan(own, rng), rng, step)

    def _earlier(self, step: int) -> list[Task]:
        """Tasks of earlier steps to try again: unsolved ones that are due, and learnable ones of each cell."""
        parts, rng = self.parts, self._rng(step, "replay")
        due = parts.quarantine.due(step, self.config.novelty.retests)
        curriculum = parts.curriculum
        split = curriculum.plan_replay if isinstance(curriculum, PlansReplay) else curriculum.plan
        learnable = parts.proposer.replay(split(parts.cells, self.config.play.replay, rng), rng)
        return list({task.id: task for task in (*map(parts.store.task, due), *learnable)}.values())

    def _plan(self, step: int) -> dict[Cell, int]:
        return self.parts.curriculum.plan(self.parts.cells, self.config.play.proposals, self._rng(step, "plan"))

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
        update = self.parts.trainer.update(
            everything,
            clip_high=clip_high,
            temperature=self.parts.solver.temperature,
            step_size=step_size(self._progress, self.config.trainer.anneal),
        )
        self.parts.policy.weight_version = self.parts.trainer.weight_version
        return update

    def _settle(self, episodes: list[Episode], step: int) -> list[Task]:
        """Tell gate and quarantine how each task went; returns the tasks that every try solved."""
        retired: dict[str, Task] = {}
        for episode in episodes:
            total, n_scored = measure.score_of(episode)
            self.parts.novelty.score(episode.task, total, n_scored)
            self.parts.quarantine.hear(episode.task.id, episode.solve_rate, step)
            if n_scored > 1 and total >= n_scored:
                retired[episode.task.id] = episode.task
        return list(retired.values())

    def _alarms(self, step: int, played: measure.Played, update: UpdateMetrics | None) -> list[Alarm]:
        """What this step gives reason to be alarmed at; what always stops the run comes last."""
        names = list(self.parts.domains)
        alarms = self.parts.watch.hear(
            step,
            {name: sum(varies(e) for e in played.episodes if e.task.domain == name) for name in names},
            {name: measure.proposal_entropy([p for p in played.proposals if p.domain == name]) for name in names},
            update.kl_base if update and update.applied else 0.0,
            applied=update is None or update.applied,
        )
        alarms += self.distrust.alarms(step, played.trapped)
        faults, chances = played.faults
        if chances and faults / chances > self.config.fault_limit:
            message = f"{faults} of {chances} checks failed through no fault of the policy; see events.jsonl"
            alarms.append(Alarm("faults", step, message, "critical"))
        return sorted(alarms, key=lambda alarm: alarm.name in ALWAYS_STOP)

    def _roll_back(self, step: int, alarms: Sequence[Alarm]) -> bool:
        """Take policy and curriculum back to before the trouble that an alarm tells of, if the settings say so.

        The store, the logs and what is known of judges stay: only what learned from bad verdicts goes.
        """
        causes = [alarm.name for alarm in alarms if alarm.name in self.config.oversight.rollback_on]
        folder = self.parts.run.checkpoint_at(self.distrust.calm_step(step - 1)) if causes else None
        if folder is None:
            return False
        self._state.read(folder, "curriculum")
        self._emit("rollback", step, {"alarms": causes, "to": folder.name, "barred": self.distrust.bar()})
        return True

    def _raise_alarm(self, alarm: Alarm, restored: bool) -> None:
        self._emit("alarm", alarm.step, alarm.to_json())
        helpless = alarm.name in self.config.oversight.rollback_on and not restored
        if self.parts.on_alarm(alarm) != "continue" or alarm.name in ALWAYS_STOP or helpless:
            raise RunPaused(f"alarm {alarm.name} in step {alarm.step}: {alarm.message}")

    def _emit(self, name: str, step: int, data: Mapping[str, Any]) -> None:
        event = Event(name, step, data)
        self.parts.run.append_event(event)
        self.parts.observe(event)

    def _rng(self, step: int, purpose: str) -> Any:
        return derived_rng(self.config.seed, step, purpose)

    def _seed_of(self, step: int, purpose: str) -> int:
        return derived_seed(self.config.seed, step, purpose)
