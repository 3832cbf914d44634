"""What a program may name: modules and built-ins. Plain sets, for the policy outside and the worker inside."""

from __future__ import annotations

import builtins

_MODULES = """
    abc bisect cmath collections collections.abc copy dataclasses datetime decimal enum fractions functools heapq
    itertools json math numbers operator random re statistics string textwrap typing unicodedata
"""
_BUILTINS = """
    __import__ __loader__ __spec__ aiter anext breakpoint compile copyright credits delattr dir eval exec exit
    getattr globals help input license locals memoryview open print quit setattr vars
"""
ALLOWED_MODULES = frozenset(_MODULES.split())
BANNED_BUILTINS = frozenset(_BUILTINS.split())
SAFE_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_")) - BANNED_BUILTINS
UNCHECKED_BUILTINS = frozenset(("eval",))
UNCHECKED_DIGESTS = ("md5", "sha1")
"""What workers have beyond these, `hashlib` with its digests included, for programs that no policy is asked about: the
answers to published test suites, which must run as they would anywhere."""
