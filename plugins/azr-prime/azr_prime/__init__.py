"""Between PrimeIntellect's `verifiers` (0.4, `verifiers.v1`) and azr-engine.

`TasksetDomain` and `TasksetVerifier` play a taskset as a domain, `AzrTaskset` is a domain as a taskset.

`verifiers` finds a taskset by the one class of that kind in `__all__`, so no other may be added there.
"""

from azr_prime.exporting import AzrTaskset
from azr_prime.importing import TasksetDomain, TasksetVerifier

__all__ = ["AzrTaskset", "TasksetDomain", "TasksetVerifier"]
