"""A reader of compiled Lean modules (`.olean`, format 2) that trusts nothing it reads.

A module file is a memory image: objects at addresses counted from a base, each written after all that it points to.
The reader demands just that (every pointer leads to an earlier object), so it ends on any input; whatever else does
not fit raises `BadModule`. Layout: Lean's `src/runtime/compact.cpp`, `object.h`, `Lean/Environment.lean`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

_FORMAT = 2
_BASE_AT, _FIRST_OBJECT_AT = 0x50, 0x60
_BIGGEST_CONSTRUCTOR, _ARRAY, _STRING, _BIG_NUMBER = 244, 0xF6, 0xF9, 0xFA
_MAX_BYTES = 64 << 20
_MAX_NAME_CHARACTERS = 4000
_MAX_LEVELS = 100
"""Of one constant; each is looked at wherever the constant stands."""
_MAX_NUMBER_BYTES = 1784
"""As many as have fewer decimal digits than Python turns into text (4,300)."""

KINDS = ("axiom", "def", "theorem", "opaque", "quot", "inductive", "constructor", "recursor")
"""Kinds of constants, in the order of `Lean.ConstantInfo`'s constructors."""
_WITH_VALUE = frozenset(("def", "theorem", "opaque"))
_N_PARTS = {4: 2, 5: 2, 6: 3, 7: 3, 8: 4, 10: 2, 11: 3}
"""Fields that an expression has at least, by its tag; one where none is named."""

Pointer = int
NO_NAME: Pointer = 1


class BadModule(ValueError):
    """The file is no module that this reader knows."""


class Node(NamedTuple):
    """An expression: its kind, the pointers of its parts, and what else identifies it."""

    kind: str
    parts: tuple[Pointer, ...]
    text: str = ""
    levels: tuple[Pointer, ...] = ()


class Constant(NamedTuple):
    """A declared constant: pointers to its name, its universe parameters (names), its type and its value."""

    kind: str
    name: Pointer
    levels: tuple[Pointer, ...]
    type: Pointer
    value: Pointer | None


def _component(text: str) -> str:
    return repr(text) if not text or any(mark in text for mark in ".#'\\") else text


class Module:
    """A parsed module.

    Attributes:
        version: of the Lean that wrote it.
        data: the file.
        imports: names of the modules it imports directly.
        constants: pointers to constants by name (see `name`).

    Raises:
        BadModule: from any method, where the file does not hold what it should.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > _MAX_BYTES:
            raise BadModule("the module is larger than 64 MiB")
        if data[:5] != b"olean" or len(data) < _FIRST_OBJECT_AT + 16 or data[5] != _FORMAT:
            raise BadModule("not a module of format 2")
        self.data = data
        self.version = data[7:40].split(b"\0")[0].decode("ascii", "replace")
        self._base, root = struct.unpack_from("<QQ", data, _BASE_AT)
        self._names: dict[Pointer, str] = {NO_NAME: ""}
        self._digests: dict[Pointer, bytes] = {}
        imports, names, constants = self._fields(root, 3)[:3]
        self.imports = [self.name(self._fields(item)[0]) for item in self._array(imports)]
        pointers = self._array(constants)
        texts = [self.name(item) for item in self._array(names)]
        if len(texts) != len(pointers) or len(set(texts)) != len(texts):
            raise BadModule("names and constants do not match")
        self.constants = dict(zip(texts, pointers, strict=True))

    def constant(self, name: str) -> Constant:
        """What the module says of one of its constants."""
        pointer = self.constants[name]
        tag = self._head(pointer)[1]
        if tag >= len(KINDS):
            raise BadModule("unknown kind of constant")
        kind = KINDS[tag]
        fields = self._fields(self._fields(pointer)[0], 2 if kind in _WITH_VALUE else 1)
        own_name, levels, type_ = self._fields(fields[0], 3)[:3]
        if self.name(own_name) != name:
            raise BadModule("a constant goes by two names")
        value = fields[1] if kind in _WITH_VALUE else None
        return Constant(kind, own_name, tuple(self._list(levels)), type_, value)

    def node(self, pointer: Pointer) -> Node:
        """The expression at `pointer`, one step deep."""
        tag = self._head(pointer)[1]
        fields = self._fields(pointer, _N_PARTS.get(tag, 1))
        match tag:
            case 0:
                return Node("bvar", (), str(self._number(fields[0])))
            case 3:
                return Node("sort", (), "", (fields[0],))
            case 4:
                return Node("const", (), self.name(fields[0]), tuple(self._list(fields[1])))
            case 5:
                return Node("app", fields[:2])
            case 6 | 7:
                return Node("lam" if tag == 6 else "pi", fields[1:3])
            case 8:
                return Node("let", fields[1:4])
            case 9:
                literal = self._fields(fields[0])[0]
                if self._head(fields[0])[1] == 0:
                    return Node("nat", (), str(self._number(literal)))
                return Node("string", (), self._string(literal))
            case 10:
                return Node("mdata", (fields[1],))
            case 11:
                return Node("proj", (fields[2],), f"{self.name(fields[0])} {self._number(fields[1])}")
        raise BadModule("an expression with variables that belong to no declaration")

    def level(self, pointer: Pointer) -> str:
        """A universe level as text, equal for equal levels: `S(...)`, `max(a,b)`, `imax(a,b)`, a parameter, `0`."""
        texts: dict[Pointer, str] = {NO_NAME: "0"}
        stack = [pointer]
        while stack:
            at = stack[-1]
            if at in texts:
                stack.pop()
                continue
            tag, parts = self.level_parts(at)
            if tag == 4:
                texts[at] = f"u:{self.name(parts[0])}"
                continue
            waiting = [part for part in parts if part not in texts]
            if waiting:
                stack += waiting
                continue
            texts[at] = f"{('S', 'max', 'imax')[tag - 1]}({','.join(texts[part] for part in parts)})"
            if len(texts[at]) > 4000:
                raise BadModule("a universe level is too large")
        return texts[pointer]

    def level_parts(self, pointer: Pointer) -> tuple[int, tuple[Pointer, ...]]:
        """A level other than zero, one step deep: 1 successor, 2 max, 3 imax (of levels), 4 parameter (a name)."""
        tag = self._head(pointer)[1]
        if tag not in (1, 2, 3, 4):
            raise BadModule("unknown universe level")
        n_parts = 2 if tag in (2, 3) else 1
        return tag, self._fields(pointer, n_parts)[:n_parts]

    def digest(self, pointer: Pointer) -> bytes:
        """SHA-256 of an expression's structure; names and kinds of bound variables and metadata do not count."""
        return self._hash(pointer, self._digests, exact=True)

    def shape(self, pointer: Pointer) -> bytes:
        """As `digest`, but which variable, number or text stands in a place does not count either."""
        return self._hash(pointer, {}, exact=False)

    def _hash(self, pointer: Pointer, known: dict[Pointer, bytes], *, exact: bool) -> bytes:
        for at in self.bottom_up([pointer], known=known):
            node = self.node(at)
            if node.kind == "mdata":
                known[at] = known[node.parts[0]]
                continue
            text = "" if not exact and node.kind in ("bvar", "nat", "string") else node.text
            state = hashlib.sha256(f"{node.kind}\0{text}\0".encode("utf-8", "surrogatepass"))
            state.update(",".join(self.level(level) for level in node.levels).encode())
            for part in node.parts:
                state.update(known[part])
            known[at] = state.digest()
        return known[pointer]

    def bottom_up(self, roots: Sequence[Pointer], known: object = ()) -> list[Pointer]:
        """Every expression reachable from `roots` and not in `known`, each after its parts."""
        done: dict[Pointer, None] = {}
        stack = list(roots)
        while stack:
            at = stack[-1]
            if at in done or at in known:  # type: ignore[operator]
                stack.pop()
                continue
            waiting = [p for p in self.node(at).parts if p not in done and p not in known]  # type: ignore[operator]
            if waiting:
                stack += waiting
                continue
            done[at] = None
            stack.pop()
        return list(done)

    def uses(self, *roots: Pointer | None) -> set[str]:
        """Names of the constants that occur in the expressions."""
        names: set[str] = set()
        for at in self.bottom_up([root for root in roots if root is not None]):
            node = self.node(at)
            if node.kind == "const":
                names.add(node.text)
            elif node.kind == "proj":
                names.add(node.text.rpartition(" ")[0])
        return names

    def own_name(self, pointer: Pointer) -> Pointer:
        """The name in a constant or a projection."""
        return self._fields(pointer)[0]

    def name(self, pointer: Pointer) -> str:
        """A name with dots between its parts, no two alike: numbers begin with `#`, odd parts are quoted."""
        chain: list[Pointer] = []
        at = pointer
        while at not in self._names:
            chain.append(at)
            at = self._fields(at)[0]
        for at in reversed(chain):
            prefix, part = self._fields(at, 2)[:2]
            tag = self._head(at)[1]
            if tag not in (1, 2):
                raise BadModule("unknown kind of name")
            text = _component(self._string(part)) if tag == 1 else f"#{self._number(part)}"
            self._names[at] = f"{self._names[prefix]}.{text}" if prefix != NO_NAME else text
            if len(self._names[at]) > _MAX_NAME_CHARACTERS:
                raise BadModule("a name is too long")
        return self._names[pointer]

    def name_parts(self, pointer: Pointer) -> list[str | int]:
        """The parts of a name, as they are."""
        parts: list[str | int] = []
        while pointer != NO_NAME:
            prefix, part = self._fields(pointer, 2)[:2]
            parts.append(self._string(part) if self._head(pointer)[1] == 1 else self._number(part))
            pointer = prefix
        return parts[::-1]

    def _head(self, pointer: Pointer) -> tuple[int, int, int]:
        """Offset, tag and number of fields of the object at `pointer`."""
        offset = pointer - self._base
        if pointer & 7 or not _FIRST_OBJECT_AT <= offset <= len(self.data) - 16:
            raise BadModule("a pointer leads nowhere")
        n_fields, tag = struct.unpack_from("<BB", self.data, offset + 6)
        return offset, tag, n_fields

    def _pointers(self, owner: Pointer, offset: int, count: int) -> tuple[Pointer, ...]:
        if offset + 8 * count > len(self.data):
            raise BadModule("an object is cut off")
        pointers = struct.unpack_from(f"<{count}Q", self.data, offset)
        if any(not pointer & 1 and pointer >= owner for pointer in pointers):
            raise BadModule("an object points forward")
        return pointers

    def _fields(self, pointer: Pointer, at_least: int = 1) -> tuple[Pointer, ...]:
        offset, tag, n_fields = self._head(pointer)
        if tag > _BIGGEST_CONSTRUCTOR:
            raise BadModule("not a constructor object")
        fields = self._pointers(pointer, offset + 8, n_fields)
        if len(fields) < at_least:
            raise BadModule("an object lacks fields")
        return fields

    def _array(self, pointer: Pointer) -> tuple[Pointer, ...]:
        offset, tag, _ = self._head(pointer)
        if tag != _ARRAY:
            raise BadModule("not an array")
        (count,) = struct.unpack_from("<Q", self.data, offset + 8)
        return self._pointers(pointer, offset + 24, count) if count < len(self.data) else self._cut()

    def _list(self, pointer: Pointer) -> list[Pointer]:
        items: list[Pointer] = []
        while pointer != NO_NAME:
            head, pointer = self._fields(pointer, 2)[:2]
            items.append(head)
            if len(items) > _MAX_LEVELS:
                raise BadModule("too many universes")
        return items

    def _string(self, pointer: Pointer) -> str:
        if pointer & 1:
            raise BadModule("not a string")
        offset, tag, _ = self._head(pointer)
        if tag != _STRING or offset + 32 > len(self.data):
            raise BadModule("not a string")
        (size,) = struct.unpack_from("<Q", self.data, offset + 8)
        if not 0 < size <= len(self.data) - offset - 32:
            self._cut()
        try:
            return self.data[offset + 32 : offset + 31 + size].decode()
        except UnicodeDecodeError:
            raise BadModule("a string is no UTF-8") from None

    def _number(self, pointer: Pointer) -> int:
        """A natural number: in the pointer itself, or a GMP integer whose limbs lie right behind its head."""
        if pointer & 1:
            return pointer >> 1
        offset, tag, _ = self._head(pointer)
        if tag != _BIG_NUMBER or offset + 24 > len(self.data):
            raise BadModule("not a number")
        size, limbs = struct.unpack_from("<iQ", self.data, offset + 12)
        start = limbs - self._base
        if 8 * size > _MAX_NUMBER_BYTES:
            raise BadModule("a number is too large")
        if size <= 0 or not 0 <= start <= len(self.data) - 8 * size:
            raise BadModule("a number is cut off")
        return int.from_bytes(self.data[start : start + 8 * size], "little")

    @staticmethod
    def _cut() -> tuple[Pointer, ...]:
        raise BadModule("an object is cut off")
