"""`azr-engine plugins new`: a package to start a plugin from.

`writing.py` fills in `templates/`, one folder per nature of verifier and one for what they share. Templates may change
freely as long as what they make installs and passes its own tests.
"""

from azr_engine.plugins.scaffold.writing import NATURES, write_package

__all__ = ["NATURES", "write_package"]
