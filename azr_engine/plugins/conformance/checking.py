"""Running the checks: on one domain, and on all that a plugin brings."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable

from azr_engine.engine.errors import UserError
from azr_engine.plugins.conformance import hostile, running, shape, verdicts
from azr_engine.plugins.conformance.finding import find, subjects
from azr_engine.plugins.conformance.hooks import HOOK_CHECKS
from azr_engine.plugins.conformance.kit import Failed, Kit, Skipped, Source, named
from azr_engine.plugins.conformance.report import CheckResult, DomainReport, PluginReport, Status
from azr_engine.plugins.manager import Plugins

Check = Callable[[Kit], str]

CHECKS: tuple[Check, ...] = (
    shape.protocols,
    shape.seeds,
    shape.admission,
    shape.json_round_trip,
    shape.draft_fields,
    shape.prompts,
    shape.gold_stays_out,
    verdicts.full_pass,
    verdicts.full_fail,
    verdicts.scores,
    verdicts.repetition,
    verdicts.batch_of_one,
    verdicts.order,
    verdicts.arguments_untouched,
    hostile.hostile_answers,
    hostile.hostile_drafts,
    hostile.odd_answers,
    hostile.exploits,
    running.event_loop,
    running.restart,
    running.throughput,
    running.close,
)
"""In the order they run; the last one ends the verifier."""


def check_plugin(item: str, seconds: float = 60.0) -> PluginReport:
    """Every check on a plugin.

    Args:
        item: an installed plugin's name, a domain's name, a plugin file or an importable module.
        seconds: longest that a verifier may take over one batch.

    Raises:
        UserError: there is no such plugin, or it brings nothing that could be checked.
    """
    plugins, name, sources = subjects(item)
    hooks = check_hooks(plugins, name)
    if not sources and not hooks:
        raise UserError(f"plugin {item!r} brings no domain and implements no hook that could be checked")
    domains = [check_domain(source, seconds) for source in sources]
    return PluginReport(item, hooks, tuple(report for report, _ in domains), any(hung for _, hung in domains))


def check_domain(source: Source, seconds: float) -> tuple[DomainReport, bool]:
    """Every check on one domain, and whether its verifier hangs."""
    kit = open_kit(source, seconds)
    try:
        checks = tuple(run_check(check, kit) for check in CHECKS)
        return DomainReport(kit.domain.name, kit.verifier.name, kit.verifier.nature, checks), kit.hung
    finally:
        kit.close()


def open_kit(source: Source, seconds: float) -> Kit:
    """The kit for a domain; its owner closes it."""
    domain, verifier = find(source.domain, source.extra)
    return Kit(domain, verifier, source, seconds)


def run_check(check: Check, kit: Kit) -> CheckResult:
    """One check's result; what a domain raises where the check did not expect it is a failure as well."""
    return _result(check.__name__, inspect.getdoc(check) or "", lambda: check(kit))


def check_hooks(plugins: Plugins, name: str) -> tuple[CheckResult, ...]:
    """The checks on each hook that the plugin implements, domains and verifiers apart."""
    results = []
    for hook, function in plugins.implementations(name):
        if check := HOOK_CHECKS.get(hook):
            results.append(_result(hook, inspect.getdoc(check) or "", lambda c=check, f=function: c(f)))  # type: ignore[misc]
    return tuple(results)


def _result(name: str, asks: str, run: Callable[[], str]) -> CheckResult:
    status: Status = "pass"
    started = time.perf_counter()
    try:
        detail = run()
    except Skipped as why:
        status, detail = "skip", str(why)
    except Failed as what:
        status, detail = "fail", str(what)
    except Exception as error:
        status, detail = "fail", f"raises {named(error)}"
    return CheckResult(name, status, detail, asks, round(time.perf_counter() - started, 3))
