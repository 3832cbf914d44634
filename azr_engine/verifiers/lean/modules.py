"""What a compiled submission must hold, compared with a reference that was compiled without it.

The reference holds the same statements, each proved by `sorry`. The submission's module must have the same imports and
each of our theorems with the reference's type and universe parameters; beside them only what the header declares,
unchanged, definitions and theorems that belong to one of ours by name, such as `goal.match_1`, and those that Lean
derives from an imported constant when it first needs them, such as `ite.congr_simp`; and no axiom but the three of
Lean's logic may be behind it. What passes is written down for the kernel to check again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from azr_engine.verifiers.lean.olean import Constant, Module
from azr_engine.verifiers.lean.replay import Tables, Writer

ALLOWED_AXIOMS = frozenset(("propext", "Classical.choice", "Quot.sound"))
PLACEHOLDER = "sorryAx"

_PRIVATE = re.compile(r"^_private\.[^.#]+\.#0\.")
_DERIVED = re.compile(r".+\.(congr_simp|congr_eq_\d+|hcongr_\d+|eq_\d+|eq_def|eq_unfold|splitter|injEq|_.+)")

AxiomsOf = Callable[[str], frozenset[str]]
"""The axioms behind a constant of the imported modules; raises KeyError for an unknown one."""


class Refused(ValueError):
    """Why a module is no proof of what was asked."""


def fingerprints(module: Module) -> dict[str, bytes]:
    """What each constant of a header is: a text may hold it again, unchanged. Raises Refused for all but definitions
    and theorems."""
    for name in module.constants:
        if (kind := module.constant(name).kind) not in ("def", "theorem"):
            raise Refused(f"it declares the {kind} {name[:80]!r}, which only a module of a project may")
    return {name: _fingerprint(module, name) for name in module.constants}


def _fingerprint(module: Module, name: str) -> bytes:
    constant = module.constant(name)
    whole = [constant.kind.encode(), *(module.name(level).encode() for level in constant.levels)]
    whole += [module.digest(part) for part in (constant.type, constant.value) if part is not None]
    return b"\0".join(whole)


def check_reference(
    reference: Module, names: Sequence[str], version: str, *, imports: Sequence[str], header: Mapping[str, bytes]
) -> None:
    """Each name must be a theorem that `sorry` proves, and nothing else be there but what belongs to them or is the
    header's. Raises Refused."""
    if set(reference.imports) != set(imports):
        raise Refused("the module imports something else than the header")
    _check_frame(reference, names, version, header)
    for name in names:
        constant = reference.constant(name)
        if constant.kind != "theorem" or PLACEHOLDER not in reference.uses(constant.value):
            raise Refused("the statement does not compile to one theorem")


def compare(
    reference: Module,
    submission: Module,
    *,
    stated: Sequence[str],
    free: Sequence[str],
    header: Mapping[str, bytes],
    axioms_of: AxiomsOf,
) -> Tables:
    """The declarations to replay: theorems `stated` in the reference, theorems `free` to choose their statement.

    Args:
        header: `fingerprints` of what the header declares.

    Raises:
        Refused: naming the first thing that is wrong.
    """
    names = [*free, *stated]
    _check_frame(submission, names, reference.version, header)
    if set(submission.imports) != set(reference.imports):
        raise Refused("the module imports something else")
    ours: dict[str, tuple[Module, Constant]] = {}
    for name in submission.constants:
        ours[name] = submission, submission.constant(name)
    targets: dict[str, tuple[Module, Constant]] = {}
    for name in reference.constants:
        constant = reference.constant(name)
        if name in stated:
            _check_same_type(reference, constant, *ours[name])
            targets[name] = reference, constant
        else:
            ours[name] = reference, constant
    writer = Writer()
    for name in _in_order(ours, names, axioms_of):
        writer.declare(*ours[name], stated=targets.get(name))
    return writer.tables


def _check_frame(module: Module, names: Sequence[str], version: str, header: Mapping[str, bytes]) -> None:
    if module.version != version:
        raise Refused(f"the module is from Lean {module.version[:20]!r}, not {version}")
    for name in names:
        if name not in module.constants:
            raise Refused(f"the module does not hold the theorem {name!r}")
        if module.constant(name).kind != "theorem":
            raise Refused(f"{name!r} is no theorem")
    for name in module.constants:
        if name in names:
            continue
        if name in header:
            if _fingerprint(module, name) != header[name]:
                raise Refused(f"the module changes {name[:80]!r} of the header")
            continue
        plain = _PRIVATE.sub("", name)
        if not any(plain.startswith(f"{own}.") for own in names) and not _DERIVED.fullmatch(plain):
            raise Refused(f"the module declares {name[:80]!r} besides")
        if module.constant(name).kind not in ("def", "theorem"):
            raise Refused(f"the module declares the {module.constant(name).kind} {name[:80]!r} besides")


def _check_same_type(reference: Module, wanted: Constant, submission: Module, found: Constant) -> None:
    wanted_levels = [reference.name(level) for level in wanted.levels]
    if wanted_levels != [submission.name(level) for level in found.levels]:
        raise Refused("the theorem has other universe parameters")
    if reference.digest(wanted.type) != submission.digest(found.type):
        raise Refused("the theorem states something else")


def _in_order(
    ours: Mapping[str, tuple[Module, Constant]], names: Sequence[str], axioms_of: AxiomsOf
) -> dict[str, None]:
    """All that the theorems rest on within the module, each after what it rests on itself; checks the axioms."""
    done: dict[str, None] = {}
    stack = list(reversed(names))
    begun: set[str] = set()
    while stack:
        name = stack[-1]
        if name in done:
            stack.pop()
            continue
        module, constant = ours[name]
        uses = module.uses(constant.type, constant.value)
        if name not in begun:
            begun.add(name)
            for other in sorted(uses - ours.keys()):
                _check_axioms(other, axioms_of)
        waiting = [other for other in sorted(uses & ours.keys()) if other not in done]
        if any(other in begun for other in waiting):
            raise Refused("declarations that rest on each other")
        if not waiting:
            done[name] = None
            stack.pop()
        stack += waiting
    return done


def _check_axioms(name: str, axioms_of: AxiomsOf) -> None:
    try:
        beyond = axioms_of(name) - ALLOWED_AXIOMS
    except KeyError:
        raise Refused(f"the constant {name[:80]!r} is none of the imports'") from None
    if beyond:
        raise Refused(f"the proof rests on the axiom {min(beyond)!r}")
