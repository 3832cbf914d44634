"""What a run does because a judge can be wrong: sets honeypots, raises its alarms, bars a judge that was fooled.

A run whose verifiers all know the truth has none of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.types import Alarm, Episode, Task
from azr_engine.verifiers.judge.honeypots import Honeypots, HoneypotsConfig
from azr_engine.verifiers.judge.stand_in import StandIn
from azr_engine.verifiers.judge.trusted import TrustedVerifier
from azr_engine.verifiers.trust.rates import ErrorRates


class Distrust:
    """The judges of a run, and what is held against them.

    Args:
        domains, verifiers: the run's, by name.
    """

    def __init__(
        self, domains: Mapping[str, Domain], verifiers: Mapping[str, Verifier], config: HoneypotsConfig
    ) -> None:
        self._judges = {name: v for name, v in verifiers.items() if isinstance(v, StandIn)}
        self._verifiers = {name: verifiers[domain.verifier] for name, domain in domains.items()}
        self._honeypots = Honeypots(config, {n: d for n, d in domains.items() if d.verifier in self._judges})

    def rates(self, task: Task) -> ErrorRates | None:
        """The error rates of the judge of a task; None where verdicts are the truth or the judge is believed."""
        verifier = self._verifiers[task.domain]
        return verifier.rates((task.domain, task.kind)) if isinstance(verifier, TrustedVerifier) else None

    def honeypots(self, tasks: Sequence[Task], rng: random.Random) -> list[Task]:
        """Impossible tasks to try among a step's own."""
        return self._honeypots.make(tasks, rng)

    def alarms(self, step: int, trapped: Sequence[Episode]) -> list[Alarm]:
        """What a step gives reason to be alarmed at; called once for each step.

        Args:
            trapped: the tries at its honeypots.
        """
        self._honeypots.hear(trapped)
        alarms = [Alarm("honeypot", step, message, "critical") for message in self._honeypots.fooled(step)]
        for judge in self._judges.values():
            alarms += [Alarm("judges_alike", step, message, "warning") for message in judge.alike()]
        for judge in self._trusted():
            alarms += [Alarm("untrusted_judge", step, message, "warning") for message in judge.news()]
            alarms += [Alarm("fooled_judge", step, message, "critical") for message in judge.fooled(step)]
        return alarms

    def calm_step(self, step: int) -> int:
        """The last step before what trouble there may be now began; the step itself where there is none."""
        watches = (self._honeypots.passes, *(judge.wrong_passes for judge in self._trusted()))
        return min((calm for watch in watches if (calm := watch.calm_step) is not None), default=step)

    def bar(self) -> list[str]:
        """Hear no judge any more where this step raised an alarm; the kinds, for the record."""
        watches = (self._honeypots.passes, *(judge.wrong_passes for judge in self._trusted()))
        cells = sorted({cell for watch in watches for cell in watch.raised})
        for domain, kind in cells:
            judge = self._verifiers[domain]
            if isinstance(judge, StandIn):
                judge.bar([(domain, kind)])
        return [f"{domain}/{kind}" for domain, kind in cells]

    def stateful(self) -> dict[str, Any]:
        """Everything here that has a state, by name."""
        if not self._judges:
            return {}
        return {**{f"verifier {name}": judge for name, judge in self._judges.items()}, "honeypots": self._honeypots}

    def _trusted(self) -> list[TrustedVerifier]:
        return [judge for judge in self._judges.values() if isinstance(judge, TrustedVerifier)]
