"""`pytest --azr-plugin NAME`: the conformance kit's checks as test items, beside whatever else is collected.

Registered through the entry point group `pytest11`, so it is imported with every pytest; the kit only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from azr_engine.plugins.conformance.checking import Check
    from azr_engine.plugins.conformance.kit import Kit, Source
    from azr_engine.plugins.conformance.report import CheckResult


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option; it may be given several times."""
    parser.addoption(
        "--azr-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="check this azr-engine plugin, domain or plugin file with the conformance kit",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the kit's items."""
    for name in config.getoption("--azr-plugin"):
        items += _items(session, name)


def _items(session: pytest.Session, name: str) -> Iterator[pytest.Item]:
    from azr_engine.engine.errors import UserError
    from azr_engine.plugins.conformance.checking import CHECKS, check_hooks
    from azr_engine.plugins.conformance.finding import subjects

    try:
        plugins, plugin, sources = subjects(name)
    except UserError as error:
        raise pytest.UsageError(f"--azr-plugin {name}: {error}") from None
    for result in check_hooks(plugins, plugin):
        yield HookItem.from_parent(session, name=f"{name}::{result.name}", result=result)
    for source in sources:
        shared = SharedKit(source)
        for check in CHECKS:
            item = CheckItem.from_parent(session, name=f"{source.domain}::{check.__name__}", shared=shared, check=check)
            shared.items_left += 1
            yield item


class SharedKit:
    """A domain's kit, opened by the first of its items and closed after the last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kit: Kit | None = None
        self.items_left = 0

    def kit(self) -> Kit:
        """The kit, opened where it is not."""
        from azr_engine.plugins.conformance.checking import open_kit

        self._kit = self._kit or open_kit(self._source, 60.0)
        return self._kit

    def item_done(self) -> None:
        """Close the kit after its last item."""
        self.items_left -= 1
        if self.items_left == 0 and self._kit is not None:
            self._kit.close()


class _ResultItem(pytest.Item):
    """Something with a `CheckResult`."""

    def result(self) -> CheckResult:
        raise NotImplementedError

    def runtest(self) -> None:
        """Fail or skip as the check does."""
        result = self.result()
        if result.status == "skip":
            pytest.skip(result.detail)
        if result.status == "fail":
            raise CheckFailed(f"{result.detail}\nasks: {result.asks}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What the plugin does wrong; the kit's own frames would help nobody."""
        return str(excinfo.value) if isinstance(excinfo.value, CheckFailed) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[str, None, str]:
        """The item's name in place of a file."""
        return "azr-plugin", None, self.name


class CheckItem(_ResultItem):
    """One check on one domain."""

    def __init__(self, *, shared: SharedKit, check: Check, **parts: Any) -> None:
        super().__init__(**parts)
        self._shared, self._check = shared, check

    def result(self) -> CheckResult:
        """Run the check."""
        from azr_engine.plugins.conformance.checking import run_check

        return run_check(self._check, self._shared.kit())

    def teardown(self) -> None:
        """Let go of the kit."""
        self._shared.item_done()


class HookItem(_ResultItem):
    """One hook, checked at collection, which costs nothing."""

    def __init__(self, *, result: CheckResult, **parts: Any) -> None:
        super().__init__(**parts)
        self._result = result

    def result(self) -> CheckResult:
        """What was found."""
        return self._result


class CheckFailed(Exception):
    """The plugin does not do what a check asks."""
