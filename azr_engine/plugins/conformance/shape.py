"""Checks on what a domain offers: its names, seeds, drafts, tasks and prompts."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.solving import public
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Draft, Malformed, Prompt, Rejection, Task, canonical_json, task_id
from azr_engine.plugins.conformance.kit import SEED, Failed, Kit, named, short

SECRET = "sesame7351"
LEAK_CHARACTERS = 3
"""Shorter answers stand in a prompt by chance."""


def protocols(kit: Kit) -> str:
    """Domain and verifier have every method and attribute of their protocols, with legal names, kinds and nature."""
    for part, protocol in ((kit.domain, Domain), (kit.verifier, Verifier)):
        if not isinstance(part, protocol):
            missing = sorted(n for n in dir(protocol) if not n.startswith("_") and not hasattr(part, n))
            raise Failed(f"{type(part).__name__} lacks {', '.join(missing) or 'what its protocol asks'}")
    for name in (kit.domain.name, *kit.domain.kinds):
        if not re.fullmatch(r"[a-z][a-z0-9_:.-]*", name):
            raise Failed(f"the name {short(name)} is not of lower-case letters, digits, _ : . and -")
    if not kit.domain.kinds:
        raise Failed("the domain has no kinds")
    if kit.domain.verifier != kit.verifier.name:
        raise Failed(f"the domain's verifier is {kit.domain.verifier!r}, but this one is {kit.verifier.name!r}")
    if kit.verifier.nature not in ("deterministic", "sampled", "neural"):
        raise Failed(f"the nature {kit.verifier.nature!r} is none of deterministic, sampled, neural")
    return f"{kit.domain.name}: {', '.join(kit.domain.kinds)}; {kit.verifier.nature}"


def seeds(kit: Kit) -> str:
    """Seeds are drafts of every kind, and the same for the same generator."""
    first, again = (_seeds(kit, len(kit.drafts) * 2) for _ in range(2))
    if first != again:
        raise Failed("seeds differ for generators in the same state; draw from rng alone")
    for draft in kit.drafts:
        if draft.domain != kit.domain.name:
            raise Failed(f"a seed belongs to the domain {draft.domain!r}")
    missing = set(kit.domain.kinds) - {draft.kind for draft in kit.drafts}
    if missing:
        raise Failed(f"no seed of the kind {sorted(missing)[0]!r}")
    return f"{len(kit.drafts)} seeds"


def _seeds(kit: Kit, n_seeds: int) -> list[str]:
    return [canonical_json(draft.to_json()) for draft in islice(kit.domain.seeds(random.Random(SEED)), n_seeds)]


def admission(kit: Kit) -> str:
    """At least half of the seeds of each kind are admitted, as tasks with the right id, domain and kind."""
    counts = Counter(task.kind for task in kit.tasks)
    for kind in kit.domain.kinds:
        n_drafts = sum(draft.kind == kind for draft in kit.drafts)
        if counts[kind] * 2 < n_drafts:
            raise Failed(f"{counts[kind]} of {n_drafts} seeds of the kind {kind!r} are admitted")
    for task in kit.tasks:
        if task.domain != kit.domain.name or task.id != task_id(task.domain, task.kind, task.given):
            raise Failed(f"the task {task.id!r} has another domain or id than task_id(domain, kind, given) gives")
        if not task.skeleton:
            raise Failed("a task has no skeleton, so that near-duplicates cannot be told")
        if not task.draft:
            raise Failed("a task does not keep its draft, so that it cannot serve as a reference")
    return f"{len(kit.tasks)} of {len(kit.drafts)} seeds admitted"


def json_round_trip(kit: Kit) -> str:
    """Drafts and tasks are JSON: written and read back, they are what they were, and are shown and judged alike."""
    copies = []
    for task in kit.tasks:
        try:
            copy = Task.from_json(json.loads(canonical_json(task.to_json())))
        except (TypeError, ValueError) as error:
            raise Failed(f"a task is not JSON: {named(error)}") from None
        if canonical_json(copy.to_json()) != canonical_json(task.to_json()):
            raise Failed("a task read back from JSON is another one")
        _unchanged(kit.domain.solve_prompt(public(copy)), kit.domain.solve_prompt(public(task)))
        _unchanged(kit.domain.propose_prompt(task.kind, [copy]), kit.domain.propose_prompt(task.kind, [task]))
        copies.append(copy)
    again = kit.admit([Draft.from_json(json.loads(json.dumps(draft.to_json()))) for draft in kit.drafts])
    if sorted(t.id for t in again if isinstance(t, Task)) != sorted(t.id for t in kit.tasks):
        raise Failed("drafts read back from JSON are admitted otherwise")
    known = {copy.id: copy for copy in copies}
    pairs = [(known[task.id], text) for task, text in kit.right]
    for verdict in kit.judge_texts(pairs):
        if verdict.status != "pass" and kit.verifier.nature == "deterministic":
            raise Failed(f"a right answer to a task read back from JSON gets {verdict.status}: {verdict.reason}")
    return f"{len(copies)} tasks"


def _unchanged(stored: Prompt, new: Prompt) -> None:
    if rendered(stored) != rendered(new):
        raise Failed(
            f"the prompt to {new.role} changes when its task comes from the store, where names are sorted; show them "
            "in an order of your own"
        )


def draft_fields(kit: Kit) -> str:
    """`draft` takes the fields of its own drafts; unknown kinds, missing fields and wrong types end as no task."""
    odd: list[tuple[str, dict[str, object]]] = []
    for draft in kit.drafts:
        if kit.domain.draft(draft.kind, draft.fields) != draft:
            raise Failed("draft does not give back a seed from its own fields")
        for name in draft.fields:
            odd += [(draft.kind, {**draft.fields, name: value}) for value in (None, 3.5, {"a": 1}, ["", None])]
            odd.append((draft.kind, {other: value for other, value in draft.fields.items() if other != name}))
        if not isinstance(kit.domain.draft("unheard-of", draft.fields), Malformed):
            raise Failed("draft takes a kind that the domain does not have")
    taken = []
    for kind, fields in odd:
        try:
            taken.append(kit.domain.draft(kind, fields))
        except Exception as error:
            raise Failed(f"draft raises {named(error)} for {short(repr(fields))}") from None
    # What `draft` lets through, since a field may be optional, is for the verifier to refuse.
    outcomes = kit.admit([draft for draft in taken if isinstance(draft, Draft)])
    if any(isinstance(outcome, Rejection) and outcome.fault for outcome in outcomes):
        raise Failed("a draft with fields of wrong types is a fault instead of a rejection, so nobody answers for it")
    return f"{len(odd)} drafts with odd fields"


def prompts(kit: Kit) -> str:
    """Prompts of both roles render in every style; the solver's asks for `answer`; drafts and answers parse back."""
    for kind in kit.domain.kinds:
        references = [task for task in kit.tasks if task.kind == kind]
        for shown in (references[:0], references[:2]):
            prompt = _prompt(kit.domain.propose_prompt(kind, shown), "propose")
            if len(prompt.references) != len(shown):
                raise Failed(f"the proposer's prompt shows {len(prompt.references)} of {len(shown)} references")
    for task in kit.tasks:
        prompt = _prompt(kit.domain.solve_prompt(public(task)), "solve")
        if [section.name for section in prompt.returns] != ["answer"]:
            raise Failed("the solver's prompt must ask for one section, `answer`")
    return f"{len(kit.domain.kinds)} kinds in {', '.join(STYLES)}"


def _prompt(prompt: Prompt, role: str) -> Prompt:
    if not isinstance(prompt, Prompt) or prompt.role != role:
        raise Failed(f"the {role} prompt is no Prompt of that role")
    if not prompt.instruction.strip() or not prompt.returns:
        raise Failed(f"the {role} prompt lacks an instruction, or what to return")
    rendered(prompt)
    return prompt


def rendered(prompt: Prompt) -> str:
    """The prompt in every style, as one text."""
    return json.dumps([style.render(prompt) for style in STYLES.values()], ensure_ascii=False)


def gold_stays_out(kit: Kit) -> str:
    """The solver's prompt does not depend on gold or the draft, and does not show the answer in what is given."""
    for task in kit.tasks:
        shown = rendered(kit.domain.solve_prompt(public(task)))
        poisoned = dataclasses.replace(task, gold=SECRET, draft=dict.fromkeys(task.draft, SECRET))
        for other in (task, poisoned):
            try:
                same = rendered(kit.domain.solve_prompt(other)) == shown
            except Exception as error:
                raise Failed(f"solve_prompt reads gold or draft: {named(error)}") from None
            if not same:
                raise Failed("the solver's prompt changes with gold or the draft; build it from task.given alone")
    for kind, own in kit.by_kind(kit.right):
        prompts_of = {task.id: kit.domain.solve_prompt(public(task)) for task, _ in own}
        telling = [
            (task, text)
            for task, text in own
            # What stands in the prompt of other tasks as well is one of the choices, not the answer.
            if len(text) >= LEAK_CHARACTERS
            and not any(_shows(prompts_of[other.id], text) for other, theirs in own if theirs != text)
        ]
        n_shown = sum(_shows(prompts_of[task.id], text) for task, text in telling)
        if len(telling) >= 3 and n_shown * 2 > len(telling):
            raise Failed(f"the prompt shows a right answer in {n_shown} of {len(telling)} tasks of the kind {kind!r}")
    return f"{len(kit.tasks)} prompts"


def _shows(prompt: Prompt, text: str) -> bool:
    sections: Sequence[str] = [section.text for section in prompt.givens]
    return any(text in section for section in [*sections, prompt.instruction])
