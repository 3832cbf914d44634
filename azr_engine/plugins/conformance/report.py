"""What the kit found, as data, as JSON and for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["pass", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one domain: `asks` is what it demands, `detail` what was seen."""

    name: str
    status: Status
    detail: str
    asks: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DomainReport:
    """All checks on one domain and its verifier."""

    domain: str
    verifier: str
    nature: str
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status != "fail" for check in self.checks)


@dataclass(frozen=True, slots=True)
class PluginReport:
    """All checks on one plugin: `hooks` on what it does besides domains; `hung`: a verifier does not end."""

    plugin: str
    hooks: tuple[CheckResult, ...]
    domains: tuple[DomainReport, ...]
    hung: bool = False

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status != "fail" for check in self.hooks) and all(domain.passed for domain in self.domains)

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON-able dictionary."""
        domains = [{**asdict(domain), "passed": domain.passed} for domain in self.domains]
        return {
            "plugin": self.plugin,
            "passed": self.passed,
            "hooks": [asdict(c) for c in self.hooks],
            "domains": domains,
        }

    def lines(self) -> list[str]:
        """The report for a terminal: a line per check, and what a failed one asks for below it."""
        lines = [f"plugin {self.plugin}"]
        lines += [line for check in self.hooks for line in _lines(check)]
        for domain in self.domains:
            lines.append(f"domain {domain.domain}, judged by {domain.verifier} ({domain.nature})")
            lines += [line for check in domain.checks for line in _lines(check)]
        checks = [*self.hooks, *(check for domain in self.domains for check in domain.checks)]
        counts = {status: sum(check.status == status for check in checks) for status in ("pass", "fail", "skip")}
        lines.append(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
        return lines


def _lines(check: CheckResult) -> list[str]:
    # What a plugin says of itself may quote hostile texts.
    detail = "".join(c if c.isprintable() else "?" for c in check.detail)
    first = f"  {check.status:<5}{check.name:<22}{detail}"
    return [first] if check.status != "fail" else [first, f"       asks: {check.asks}"]
