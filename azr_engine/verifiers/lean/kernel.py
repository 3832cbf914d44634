"""Lean's kernel, called from Python: build terms from tables and have them checked in an environment of imports.

Runs in a process that has loaded Lean's library and has never run a submission. Imports are read before the fork, in
the one thread there is: Lean runs tasks at once where no task manager was started. Every term is built by Lean's own
constructors from the tables of `replay`, so no byte of a submission's module is ever read as an object. The calls are
those of the pinned Lean (`ABI_VERSION`): signatures of `Lean/Environment.lean`, object layout of `lean.h`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

ABI_VERSION = "4.35.0"
"""The Lean whose internal functions are called here."""

_NO_TRUST = 0
_PRIVATE_LEVEL = 2
_MAX_RECURSION = 4096
_MANY = 1 << 24
"""References given to each new object: none is ever freed, the process ends after its replay."""
_NOTHING = 1
"""The boxed zero: the anonymous name, the empty list, `none`, the unit."""
_EMPTY_TREE = 3
_SAFE = 1

_Object = ctypes.c_void_p
_Size, _Word, _Byte = ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint8
_CONSTRUCTOR_TAG = {"def": 1, "theorem": 2}

_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "lean_alloc_object": (_Object, _Size),
    "lean_mk_string_from_bytes": (_Object, ctypes.c_char_p, _Size),
    "lean_cstr_to_nat": (_Object, ctypes.c_char_p),
    "lean_name_mk_string": (_Object, _Object, _Object),
    "lean_name_mk_numeral": (_Object, _Object, _Object),
    "lean_level_mk_succ": (_Object, _Object),
    "lean_level_mk_max": (_Object, _Object, _Object),
    "lean_level_mk_imax": (_Object, _Object, _Object),
    "lean_level_mk_param": (_Object, _Object),
    "lean_level_mk_zero": (_Object, _Object),
    "lean_expr_mk_bvar": (_Object, _Object),
    "lean_expr_mk_sort": (_Object, _Object),
    "lean_expr_mk_const": (_Object, _Object, _Object),
    "lean_expr_mk_app": (_Object, _Object, _Object),
    "lean_expr_mk_lambda": (_Object, _Object, _Object, _Object, _Byte),
    "lean_expr_mk_forall": (_Object, _Object, _Object, _Object, _Byte),
    "lean_expr_mk_let": (_Object, _Object, _Object, _Object, _Object, _Byte),
    "lean_expr_mk_lit": (_Object, _Object),
    "lean_expr_mk_proj": (_Object, _Object, _Object, _Object),
    "lean_mk_theorem_val": (_Object, _Object, _Object, _Object, _Object, _Object),
    "lean_mk_definition_val": (_Object, _Object, _Object, _Object, _Object, _Object, _Byte, _Object),
    "lean_mk_array": (_Object, _Object, _Object),
    "lean_array_push": (_Object, _Object, _Object),
    "lean_options_get_empty": (_Object, _Object),
    "lean_init_search_path": (_Object,),
    "lean_elab_environment_to_kernel_env": (_Object, _Object),
    "lean_add_decl": (_Object, _Object, _Size, _Size, _Object, _Object),
    "l_Lean_importModules": (_Object, _Object, _Object, _Word, _Object, _Byte, _Byte, _Byte, _Object, _Object),
}

KERNEL_ERRORS = (
    "unknown constant", "already declared", "type mismatch in the declaration", "metavariables", "free variables",
    "a function was expected", "a type was expected", "a let's type does not fit", "types are not equal",
    "an application's type does not fit", "invalid projection", "a theorem must be a proposition", "other",
    "deterministic timeout", "too much memory", "too deep", "interrupted",
)  # fmt: skip
"""What `Lean.Kernel.Exception`'s constructors mean, in order."""


class Kernel:
    """An environment of imported modules, and the kernel that extends it.

    Raises:
        RuntimeError: a module cannot be imported.
    """

    def __init__(self, library: ctypes.CDLL, imports: Sequence[str]) -> None:
        self._lean: dict[str, Any] = {}
        for name, (result, *arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            self._lean[name] = function
        self._result(self._call("lean_init_search_path"))
        modules = self._call("lean_mk_array", _NOTHING, _NOTHING)
        for module in imports:
            one = self._construct(0, [self._name(module.split("."))], scalars=bytes([0, 1, 0]))
            modules = self._call("lean_array_push", modules, one)
        no_plugins = self._keep(self._call("lean_mk_array", _NOTHING, _NOTHING))
        options = self._keep(self._call("lean_options_get_empty", _NOTHING))
        result = self._call(
            "l_Lean_importModules", modules, options, _NO_TRUST, no_plugins, 0, 0, _PRIVATE_LEVEL, _EMPTY_TREE, _NOTHING
        )
        elaborator_environment = self._keep(self._result(result))
        self._environment = self._keep(self._call("lean_elab_environment_to_kernel_env", elaborator_environment))

    def check(self, tables: dict[str, list[Any]], max_heartbeats: int) -> str:
        """Add the declarations in order; the empty text when the kernel takes them all, else its complaint."""
        builder = _Builder(self, tables)
        environment = self._environment
        for kind, name, levels, type_, value in tables["declarations"]:
            declaration = builder.declaration(kind, name, levels, type_, value)
            result = self._call("lean_add_decl", environment, max_heartbeats, _MAX_RECURSION, declaration, _NOTHING)
            if _tag(result) != 1:
                number = _tag(_field(result, 0))
                return KERNEL_ERRORS[number] if number < len(KERNEL_ERRORS) else "refused"
            environment = self._keep(_field(result, 0))
        return ""

    def _call(self, name: str, *arguments: int) -> int:
        return self._lean[name](*arguments) or 0

    def _construct(self, tag: int, fields: list[int], scalars: bytes = b"") -> int:
        """A constructor object: reference count (4 bytes), size (2), number of fields (1), tag (1), fields, scalars."""
        n_bytes = 8 + 8 * len(fields) + -(-len(scalars) // 8) * 8
        address = self._call("lean_alloc_object", n_bytes)
        ctypes.c_int32.from_address(address).value = _MANY
        ctypes.c_uint16.from_address(address + 4).value = n_bytes
        ctypes.c_uint8.from_address(address + 6).value = len(fields)
        ctypes.c_uint8.from_address(address + 7).value = tag
        for position, field in enumerate(fields):
            ctypes.c_uint64.from_address(address + 8 + 8 * position).value = field
        ctypes.memmove(address + 8 + 8 * len(fields), scalars, len(scalars))
        return address

    @staticmethod
    def _keep(address: int) -> int:
        if not address & 1:
            count = ctypes.c_int32.from_address(address)
            if count.value > 0:  # zero: lives for ever; negative: shared between threads, and counted by Lean
                count.value += _MANY
            elif count.value < 0:
                count.value -= _MANY
        return address

    def _result(self, result: int) -> int:
        if _tag(result) != 0:
            raise RuntimeError("Lean cannot import what it should")
        return _field(result, 0)

    def _text(self, text: str) -> int:
        data = text.encode()
        return self._call("lean_mk_string_from_bytes", data, len(data))  # type: ignore[arg-type]

    def _number(self, text: str) -> int:
        return self._call("lean_cstr_to_nat", text.encode())  # type: ignore[arg-type]

    def _name(self, parts: list[Any]) -> int:
        name = _NOTHING
        for part in parts:
            name = self._longer(name, part)
        return name

    def _longer(self, prefix: int, part: str | int) -> int:
        if isinstance(part, str):
            return self._keep(self._call("lean_name_mk_string", prefix, self._text(part)))
        return self._keep(self._call("lean_name_mk_numeral", prefix, self._number(str(part))))

    def _list(self, items: list[int]) -> int:
        result = _NOTHING
        for item in reversed(items):
            result = self._construct(1, [item, result])
        return result


class _Builder:
    """Lean objects for the rows of one set of tables."""

    def __init__(self, kernel: Kernel, tables: dict[str, list[Any]]) -> None:
        self._kernel = kernel
        self._names = [_NOTHING]
        for prefix, part in tables["names"][1:]:
            self._names.append(kernel._longer(self._names[prefix], part))
        self._levels = [self._keep("lean_level_mk_zero", _NOTHING)]
        for row in tables["levels"][1:]:
            self._levels.append(self._level(*row))
        self._expressions: list[int] = []
        for row in tables["expressions"]:
            self._expressions.append(self._expression(*row))

    def declaration(self, kind: str, name: int, levels: list[int], type_: int, value: int) -> int:
        """A `Lean.Declaration` of a definition or a theorem, safe and never unfolded before others."""
        kernel = self._kernel
        own = self._names[name]
        parameters = kernel._list([self._names[level] for level in levels])
        common = (own, parameters, self._expressions[type_], self._expressions[value])
        together = kernel._list([own])
        if kind == "theorem":
            body = self._keep("lean_mk_theorem_val", *common, together)
        else:
            body = self._keep("lean_mk_definition_val", *common, _ABBREVIATION, _SAFE, together)
        return kernel._construct(_CONSTRUCTOR_TAG[kind], [body])

    def _keep(self, function: str, *arguments: int) -> int:
        return self._kernel._keep(self._kernel._call(function, *arguments))

    def _level(self, kind: str, *parts: int) -> int:
        if kind == "param":
            return self._keep("lean_level_mk_param", self._names[parts[0]])
        return self._keep(f"lean_level_mk_{kind}", *(self._levels[part] for part in parts))

    def _expression(self, kind: str, *rest: Any) -> int:
        kernel, made = self._kernel, self._expressions
        match kind:
            case "bvar":
                return self._keep("lean_expr_mk_bvar", kernel._number(rest[0]))
            case "sort":
                return self._keep("lean_expr_mk_sort", self._levels[rest[0]])
            case "const":
                levels = kernel._list([self._levels[level] for level in rest[1]])
                return self._keep("lean_expr_mk_const", self._names[rest[0]], levels)
            case "app":
                return self._keep("lean_expr_mk_app", made[rest[0]], made[rest[1]])
            case "lam" | "pi":
                function = "lean_expr_mk_lambda" if kind == "lam" else "lean_expr_mk_forall"
                return self._keep(function, _NOTHING, made[rest[0]], made[rest[1]], 0)
            case "let":
                return self._keep("lean_expr_mk_let", _NOTHING, *(made[part] for part in rest), 0)
            case "nat":
                return self._keep("lean_expr_mk_lit", kernel._construct(0, [kernel._keep(kernel._number(rest[0]))]))
            case "string":
                return self._keep("lean_expr_mk_lit", kernel._construct(1, [kernel._keep(kernel._text(rest[0]))]))
            case "proj":
                number = kernel._number(rest[1])
                return self._keep("lean_expr_mk_proj", self._names[rest[0]], number, made[rest[2]])
        raise ValueError(f"no expression is a {kind}")


_ABBREVIATION = 3
"""The boxed one: `ReducibilityHints.abbrev`."""


def _tag(address: int) -> int:
    return address >> 1 if address & 1 else ctypes.c_uint8.from_address(address + 7).value


def _field(address: int, position: int) -> int:
    return ctypes.c_uint64.from_address(address + 8 + 8 * position).value
