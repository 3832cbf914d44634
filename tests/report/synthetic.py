"""Runs made up for the report: as many steps, tasks and tries as wanted, written through the real store and metrics."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from azr_engine.engine.config import load_config, to_toml
from azr_engine.engine.durable import append_line, json_line
from azr_engine.engine.metrics import PhaseClock, Played, step_metrics
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import (
    Alarm,
    Answer,
    Attempt,
    Completion,
    Episode,
    Event,
    Malformed,
    Proposal,
    Rejection,
    Task,
    Verdict,
    task_id,
)
from azr_engine.oversight.review import Decision, ReviewQueue
from azr_engine.trainer.protocol import Sample

HOSTILE = (
    "<script>window.hacked = 1</script>",
    '</script><img src="x" onerror="window.hacked = 1">',
    "<!-- <script>",
    '"><svg onload="window.hacked = 1">',
    "{{ 7 * 7 }} ${window.hacked = 1} <%= 7 %>",
    "javascript:window.hacked=1",
    "right\u202eot tfel",
    "nul\x00 clear\x1b[2J title\x1b]0;owned\x07 c1\x9b31m",
    "lone \ud800 half",
    "line\u2028separator\u2029end",
    "&lt;b&gt;kept as it is&lt;/b&gt;",
)

KINDS = ("deduction", "abduction")


def synthetic_run(folder: Path, n_steps: int, n_tasks: int, n_attempts: int = 8, *, hostile: bool = False) -> Path:
    """A run of the domain python: per step `n_tasks` admitted tasks and half as many failed proposals.

    With `hostile`, every text that a model or a verifier writes is hostile in some way.
    """
    rng = random.Random(0)
    config = load_config(None, [f"steps={n_steps}"], {"domains": ["python"]})
    known: list[str] = []
    with RunDirectory.create(folder) as run, TaskStore(run.tasks_path) as store:
        run.write_config(to_toml(config))
        for step in range(1, n_steps + 1):
            played = _step(rng, step, n_tasks, n_attempts, known, hostile)
            tasks = [p.outcome for p in played.proposals if isinstance(p.outcome, Task)]
            known += [task.id for task in tasks]
            tries = [attempt for episode in played.episodes for attempt in episode.attempts]
            store.commit_step(step, tasks, played.proposals, tries)
            alarms = ["entropy"] if step == n_steps // 2 else []
            line = step_metrics(
                step=step,
                clock=PhaseClock(),
                domains=["python"],
                played=played,
                update=None,
                alarms=alarms,
                weight_version=step,
            )
            line["seconds"] = 2.0 + rng.random()
            line["phase_seconds"] = dict.fromkeys(line["phase_seconds"], line["seconds"] / 6)
            run.append_metrics({**line, "a_new_figure": {"value": rng.random()}})
            for name in alarms:
                data = {"name": name, "message": HOSTILE[1] if hostile else "the proposer repeats itself"}
                run.append_event(Event("alarm", step, data))
        for step in (0, n_steps // 2, n_steps):
            append_line(run.path / "safety.jsonl", json_line(_safety(step, step == n_steps, hostile)))
        queue = ReviewQueue(run.path)
        decisions: list[tuple[int, Decision | None]] = [(2, "approve"), (3, "reject"), (n_steps, None)]
        for step, decision in decisions:
            queue.waits(alarm := Alarm("safety", step, HOSTILE[0] if hostile else "1 item failed", "critical"))
            if decision is not None:
                queue.decide(queue.items()[-1].id, decision, f"{HOSTILE[3] if hostile else 'seen'} {alarm.step}")
        for step in (0, n_steps):
            append_line(run.path / "evals.jsonl", json_line(_evaluation(step, 0.3 + 0.1 * (step > 0))))
    return folder


def _step(rng: random.Random, step: int, n_tasks: int, n_attempts: int, known: list[str], hostile: bool) -> Played:
    texts = _texts(rng, hostile, step)
    proposals, episodes = [], []
    for place in range(n_tasks):
        text = next(texts)
        given = {"program": f"def f(x):\n    # {text}\n    return x + {step} * {place}", "input": str(place)}
        kind = KINDS[place % 2]
        parents = tuple(rng.sample(known[-200:], 2)) if len(known) > 2 else ()
        name = task_id("python", kind, given)
        task = Task(name, "python", kind, given, next(texts), f"s{place}", "", dict(given), parents, step)
        passed = rng.random() * min(1.0, 0.3 + step / 400)
        tries = tuple(_attempt(rng, task, next(texts), rng.random() < passed) for _ in range(n_attempts))
        proposals.append(Proposal("python", kind, _completion(next(texts)), parents, task, rng.random() / 4))
        episodes.append(Episode(task, tries))
    for place in range(n_tasks // 2):
        text = next(texts)
        outcome = Rejection("duplicate", text) if place % 2 else Malformed(text, text)
        proposals.append(Proposal("python", KINDS[place % 2], _completion(text), (), outcome, 0.0))
    samples = {("python", kind): [Sample((1,), (2,), (-0.5,), rng.random(), "solve")] for kind in KINDS}
    coverage = {"skeletons": step, "behaviours": step + 1, "niches": 2 * step, "tasks": 3 * step}
    return Played(
        proposals=proposals, episodes=episodes, samples=samples, retired={"python": 1}, coverage={"python": coverage}
    )


def _attempt(rng: random.Random, task: Task, text: str, passes: bool) -> Attempt:
    verdict = Verdict("pass", 1.0) if passes else Verdict("fail", 0.0, f"wrong: {text}")
    return Attempt(task, _completion(text), Answer({"answer": text}, text), verdict, verdict.score)


def _completion(text: str) -> Completion:
    return Completion((1, 2), (3, 4), (-0.5, -0.25), text, "stop", 1)


def _texts(rng: random.Random, hostile: bool, place: int) -> Iterator[str]:
    while True:
        place += 1
        plain = f"because {rng.randrange(10**6)} is what {rng.randrange(10**6)} comes to"
        yield f"{HOSTILE[place % len(HOSTILE)]} {plain}" if hostile else plain


def _safety(step: int, failed: bool, hostile: bool) -> dict[str, object]:
    failures = [{"name": HOSTILE[0] if hostile else "an item", "detail": HOSTILE[1] if hostile else "admitted"}]
    policy = {"proposals": {"n": 10, "refused": 1, "flagged": 2}, "answers": {"n": 0, "flagged": 0}}
    counts = {"n": 40, "held": 39 - failed, "failed": int(failed), "unjudged": 1}
    return {"step": step, "suite": "safety", **counts, "failures": failures * failed, "policy": policy}


def _evaluation(step: int, accuracy: float) -> dict[str, object]:
    def at(value: float) -> dict[str, object]:
        return {"value": value, "ci95": [value - 0.05, value + 0.05]}

    found = {"n": 100, "accuracy": accuracy, "pass_at_k": {"1": at(accuracy), "8": at(accuracy + 0.2)}}
    kinds = {f"python/{kind}": found for kind in KINDS}
    return {"step": step, "suite": "heldout", "by_kind": kinds, "by_domain": {"python": found}, "overall": found}
