"""What those who split a step's effort hear of it: the curriculum about each cell, the anchors about each domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from azr_engine.curriculum.anchors import Anchors
from azr_engine.curriculum.protocol import Cell, Curriculum, Observation
from azr_engine.engine.metrics import episode_learnability, score_of
from azr_engine.engine.scoring import varies
from azr_engine.engine.types import Episode, Task
from azr_engine.verifiers.trust.correction import corrected_learnability
from azr_engine.verifiers.trust.rates import ErrorRates


def tell_curriculum(
    curriculum: Curriculum,
    plan: Mapping[Cell, int],
    episodes: Sequence[Episode],
    rates: Callable[[Task], ErrorRates | None],
) -> None:
    """How each cell of the plan went.

    Args:
        plan: proposals by cell.
        episodes: the tries at the tasks that became of them.
        rates: a task's judge's error rates, None where it knows the truth.
    """
    by_cell: dict[Cell, list[Episode]] = {cell: [] for cell in plan}
    for episode in episodes:
        by_cell[episode.task.domain, episode.task.kind].append(episode)
    for cell, group in by_cell.items():
        scored = _scored(group)
        values = [value for episode in scored if (value := _learnability(episode, rates(episode.task))) is not None]
        solved = [rate for episode in scored if (rate := episode.solve_rate) is not None]
        seen = Observation(
            n_planned=plan[cell],
            n_tasks=len(scored),
            n_effective=sum(varies(episode) for episode in scored),
            learnability=sum(values) / len(values) if values else None,
            solve_rate=sum(solved) / len(solved) if solved else None,
        )
        curriculum.observe(cell, seen)


def tell_anchors(anchors: Anchors, episodes: Sequence[Episode]) -> None:
    """How the tries at a step's anchors went."""
    by_domain: dict[str, list[Episode]] = {}
    for episode in _scored(episodes):
        by_domain.setdefault(episode.task.domain, []).append(episode)
    for domain, group in by_domain.items():
        anchors.observe(domain, len(group), sum(varies(episode) for episode in group))


def _scored(episodes: Sequence[Episode]) -> list[Episode]:
    """Those with tries to compare."""
    return [episode for episode in episodes if len(episode.scored) > 1]


def _learnability(episode: Episode, rates: ErrorRates | None) -> float | None:
    """Unbiased p(1 - p), a judge's errors taken out; within the range that the curriculum takes."""
    if rates is None:
        return episode_learnability(episode)
    total, n_scored = score_of(episode)
    return min(max(corrected_learnability(total, n_scored, rates), 0.0), 0.5) if n_scored > 1 else None
