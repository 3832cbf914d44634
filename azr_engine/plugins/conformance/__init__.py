"""The conformance kit: what every domain and verifier must do, tried on any plugin.

`check_plugin` runs everything; `azr-engine plugins check` and `pytest --azr-plugin` are made of it. A check is a
function from a `Kit` to a sentence that raises `Failed` or `Skipped`; its docstring says what it asks. New ones join
`CHECKS`, and anything else here may change freely.
"""

from azr_engine.plugins.conformance.checking import CHECKS, check_plugin
from azr_engine.plugins.conformance.kit import Failed, Kit, Skipped
from azr_engine.plugins.conformance.report import CheckResult, DomainReport, PluginReport

__all__ = ["CHECKS", "CheckResult", "DomainReport", "Failed", "Kit", "PluginReport", "Skipped", "check_plugin"]
