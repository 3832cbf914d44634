"""The plugin machinery: hook specifications, the manager that loads plugins, and how their answers are combined.

`hookimpl` is what a plugin decorates its functions with. Domains and verifiers of this package are registered
through the same hooks and the same entry-point group as anybody's.
"""

from azr_engine.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
