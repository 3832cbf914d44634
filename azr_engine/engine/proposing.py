"""The proposing half of a step: ask for tasks, parse what comes, screen it, let the verifiers admit it.

A domain with a true attribute `solver_only` has its tasks drawn from its own seeds instead, and no proposals. The
controls in `sources.py` draw the tasks of every domain.

No code here knows what a domain is about. What a verifier raises becomes a fault of its batch and never stops a
run; what the policy wrote badly is its own failure and is never masked.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice

from azr_engine.curriculum.novelty import NoveltyGate
from azr_engine.engine.context import Context
from azr_engine.engine.protocols import Domain, Policy, Verifier
from azr_engine.engine.sampling import Cell, Log, Sampling, fault_event, group_by_name
from azr_engine.engine.store import TaskStore
from azr_engine.engine.styles import Style
from azr_engine.engine.types import Draft, Malformed, Prompt, Proposal, Refusal, Rejection, Task

ANCHOR_DRAWS = 2
"""Drafts drawn for each anchor that is wanted."""


def solver_only(domain: Domain) -> bool:
    """Whether the policy solves a domain's tasks and never proposes any."""
    return bool(getattr(domain, "solver_only", False))


class Proposer:
    """The policy in the proposer's role, and the gate behind it.

    Args:
        domains, verifiers: by name.
        store: where references come from and what counts as known.
        novelty: keeps out what is too much like recent tasks.
        screen: may refuse a draft before any verifier sees it.
        reserved: ids of tasks that must never be admitted (the held-out suite).
        log: told of faults.
        learns: whether what it writes enters the update; false for a policy that stays as it is.
    """

    def __init__(
        self,
        domains: Mapping[str, Domain],
        verifiers: Mapping[str, Verifier],
        policy: Policy,
        style: Style,
        store: TaskStore,
        sampling: Sampling,
        *,
        novelty: NoveltyGate,
        screen: Callable[[Draft], Refusal | None],
        reserved: Collection[str],
        log: Log,
        learns: bool = True,
    ) -> None:
        self._domains = domains
        self._verifiers = verifiers
        self._policy = policy
        self._style = style
        self._store = store
        self._sampling = sampling
        self._context = Context(policy, style, sampling)
        self._novelty = novelty
        self._screen = screen
        self._reserved = frozenset(reserved)
        self._log = log
        self.learns = learns

    def proposes(self, domain: Domain) -> bool:
        """Whether a domain's tasks are asked of the policy; those of the others are drawn."""
        return not solver_only(domain)

    def propose(self, plan: Mapping[Cell, int], rng: random.Random, seed: int) -> list[tuple[Proposal, Prompt]]:
        """One completion for each planned proposal; so many as the settings say share their references."""
        asked: list[tuple[Cell, Prompt, tuple[int, ...], tuple[str, ...]]] = []
        for (domain, kind), count in plan.items():
            wanted = count if self.proposes(self._domains[domain]) else 0
            for n_before in range(0, wanted, self._sampling.proposals_per_prompt):
                references = self._store.references(domain, kind, self._sampling.n_references, rng)
                fitting = self._context.proposal(partial(self._domains[domain].propose_prompt, kind), references)
                if fitting is None:
                    self._log("prompt_too_long", {"domain": domain, "kind": kind})
                    continue
                prompt, ids, kept = fitting
                request = ((domain, kind), prompt, ids, tuple(task.id for task in kept))
                asked += [request] * min(self._sampling.proposals_per_prompt, wanted - n_before)
        completions = self._policy.generate(
            [ids for _, _, ids, _ in asked],
            n_samples=1,
            max_new_tokens=self._sampling.propose_tokens,
            temperature=self._sampling.temperature,
            seed=seed,
        )
        return [
            (Proposal(domain, kind, completion, parents), prompt)
            for ((domain, kind), prompt, _, parents), (completion,) in zip(asked, completions, strict=True)
        ]

    async def admit(self, proposed: Sequence[tuple[Proposal, Prompt]], step: int) -> list[Proposal]:
        """Every proposal with its outcome: malformed, rejected, or a task that is new to the store."""
        drafts = [self._parse_draft(proposal, prompt) for proposal, prompt in proposed]
        outcomes = self._preferred([p for p, _ in proposed], await self._admit_drafts(drafts))
        known = self._store.known_ids([task.id for task in outcomes if isinstance(task, Task)]) | self._reserved
        seen: set[str] = set()
        settled: list[Proposal] = []
        for (proposal, _), outcome in zip(proposed, outcomes, strict=True):
            if isinstance(outcome, Task):
                if outcome.id in known or outcome.id in seen:
                    outcome = Rejection("duplicate")
                elif crowded := self._novelty.admit(outcome):
                    outcome = crowded
                else:
                    seen.add(outcome.id)
                    outcome = dataclasses.replace(outcome, parents=proposal.parents, born_step=step)
            settled.append(dataclasses.replace(proposal, outcome=outcome))
        return settled

    def _preferred(
        self, proposals: Sequence[Proposal], outcomes: Sequence[Task | Malformed | Rejection]
    ) -> Sequence[Task | Malformed | Rejection]:
        """What the verifiers said, before the gate is asked; a proposer that wants only some of its tasks says so."""
        return outcomes

    async def draw(self, plan: Mapping[Cell, int], rng: random.Random, step: int) -> list[Task | Rejection]:
        """The planned tasks of the other domains, fresh from their seeds, or why one was not admitted."""
        own = {(name, kind): n for (name, kind), n in plan.items() if not self.proposes(self._domains[name])}
        outcomes = await self._from_seeds(own, rng, step)
        for task in outcomes:
            if isinstance(task, Task):
                self._novelty.note(task)
        return outcomes

    async def anchors(self, plan: Mapping[Cell, int], rng: random.Random, step: int) -> list[Task | Rejection]:
        """The planned numbers of fresh tasks from the domains' seeds, and why others were not admitted.

        A policy's own tasks drift: near misses of hard kinds, few of the answers it cannot bring about. Some tasks
        whose base rates never change keep the solver from learning what is true of its own tasks alone. They pass the
        same gate, so more are drawn than are wanted.
        """
        wanted = Counter(plan)
        outcomes = await self._from_seeds({cell: ANCHOR_DRAWS * n for cell, n in plan.items()}, rng, step)
        kept: list[Task | Rejection] = []
        for outcome in outcomes:
            if isinstance(outcome, Rejection):
                kept.append(outcome)
            elif wanted[outcome.domain, outcome.kind] > 0 and self._novelty.admit(outcome) is None:
                wanted[outcome.domain, outcome.kind] -= 1
                kept.append(outcome)
        return kept

    async def _from_seeds(self, plan: Mapping[Cell, int], rng: random.Random, step: int) -> list[Task | Rejection]:
        """So many drafts of the domains' own, admitted by their verifiers; without what the store knows already."""
        drafts: list[Draft] = []
        for (name, kind), count in plan.items():
            drafts += islice((draft for draft in self._domains[name].seeds(rng) if draft.kind == kind), count)
        outcomes = await self._admit_drafts(drafts)
        seen = self._store.known_ids([task.id for task in outcomes if isinstance(task, Task)]) | self._reserved
        found: list[Task | Rejection] = []
        for outcome in outcomes:
            if isinstance(outcome, Task):
                if outcome.id in seen:
                    found.append(Rejection("duplicate"))
                    continue
                seen |= {outcome.id}
                found.append(dataclasses.replace(outcome, born_step=step))
            elif isinstance(outcome, Rejection):
                found.append(outcome)
        return found

    def replay(self, plan: Mapping[Cell, int], rng: random.Random) -> list[Task]:
        """The planned numbers of earlier tasks to try again, chosen as references are."""
        return [task for cell, count in plan.items() for task in self._store.references(*cell, count, rng)]

    async def admit_seeds(self, drafts: Sequence[Draft]) -> list[Task]:
        """The admitted ones among grammar drafts, without repetition."""
        outcomes = await self._admit_drafts(drafts)
        unique = {task.id: task for task in outcomes if isinstance(task, Task) and task.id not in self._reserved}
        return list(unique.values())

    def _parse_draft(self, proposal: Proposal, prompt: Prompt) -> Draft | Malformed | Rejection:
        text = proposal.completion.text
        if proposal.completion.finish == "length":
            return Malformed("unfinished", text)
        sections = self._style.parse(prompt, text)
        if isinstance(sections, Malformed):
            return sections
        draft = self._domains[proposal.domain].parse_draft(proposal.kind, sections)
        if isinstance(draft, Malformed):
            return draft
        refusal = self._screen(draft)
        return Rejection("refused", refusal.reason) if refusal else draft

    def _fits(self, task: Task) -> bool:
        public = dataclasses.replace(task, gold={}, draft={})
        return self._context.holds(self._domains[task.domain].solve_prompt(public))

    async def _admit_drafts(
        self, drafts: Sequence[Draft | Malformed | Rejection]
    ) -> list[Task | Malformed | Rejection]:
        """Each domain's drafts in one batch, all domains at once; order kept."""
        results: list[Task | Malformed | Rejection] = [
            Rejection("fault", fault=True) if isinstance(draft, Draft) else draft for draft in drafts
        ]

        async def ask(verifier: Verifier, indices: list[int]) -> None:
            try:
                batch = [draft for i in indices if isinstance(draft := drafts[i], Draft)]
                found = await verifier.admit(batch)
                for index, outcome in zip(indices, found, strict=True):
                    fits = not isinstance(outcome, Task) or self._fits(outcome)
                    results[index] = outcome if fits else Rejection("oversize", "its prompt exceeds the context")
            except Exception as error:
                self._log(*fault_event(verifier.name, "admit", error))

        names = [self._domains[d.domain].verifier if isinstance(d, Draft) else None for d in drafts]
        await asyncio.gather(*(ask(self._verifiers[n], indices) for n, indices in group_by_name(names)))
        return results
