"""Loading plugins and asking them: by entry point (group `azr_engine`), by file, or by module name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from azr_engine.curriculum import CURRICULA
from azr_engine.curriculum.protocol import Curriculum
from azr_engine.engine.errors import UserError
from azr_engine.engine.rewards import REWARDS, RewardRule
from azr_engine.engine.types import Alarm, Attempt, Draft, Drop, Episode, Event, Refusal
from azr_engine.plugins import hookspecs
from azr_engine.plugins.hookspecs import PROJECT, AlarmAction

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig
    from azr_engine.engine.protocols import Domain, Verifier

_T = TypeVar("_T")
_STRICTNESS: tuple[AlarmAction, ...] = ("continue", "pause", "halt")


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One loaded plugin: where it came from and which hooks it implements."""

    name: str
    version: str
    source: str
    hooks: tuple[str, ...]


class Plugins:
    """The loaded plugins and what they answer, with the rules of each hook applied.

    Args:
        extra: plugin files (`path/to/plugin.py`) or importable module names.
        log: told of an observer's exception; by default it is dropped.

    Raises:
        UserError: a plugin cannot be found or raises at import.
    """

    def __init__(self, extra: Sequence[str] = (), log: Callable[[str, BaseException], None] | None = None) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._sources: dict[str, tuple[str, str]] = {}
        self.log = log or (lambda name, error: None)
        for entry in sorted(entry_points(group=PROJECT), key=lambda e: e.name):
            self._register(entry.name, _load_entry(entry), _version(entry), f"entry point {entry.value}")
        for item in extra:
            module = load_plugin(item)
            self._register(item, module, str(getattr(module, "__version__", "")), item)

    def _register(self, name: str, module: object, version: str, source: str) -> None:
        try:
            self._manager.register(module, name)
        except pluggy.PluginValidationError as error:
            raise UserError(f"plugin {name!r}: {str(error).splitlines()[-1].strip()}") from None
        except ValueError:
            raise UserError(f"plugin {name!r} is loaded twice") from None
        self._sources[name] = (version, source)

    def add(self, name: str, plugin: object) -> None:
        """Load a plugin that is an object with hooks as methods. Raises UserError where the name is taken."""
        self._register(name, plugin, "", "built in")

    def info(self) -> list[PluginInfo]:
        """Every plugin, by name."""
        out = []
        for name, module in self._manager.list_name_plugin():
            callers = self._manager.get_hookcallers(module) or []
            version, source = self._sources[name]
            out.append(PluginInfo(name, version, source, tuple(sorted(caller.name for caller in callers))))
        return sorted(out, key=lambda info: info.name)

    def brought(self, name: str, config: RunConfig) -> list[str]:
        """The names of the domains that one plugin brings."""
        others = [module for other, module in self._manager.list_name_plugin() if other != name]
        answers = self._manager.subset_hook_caller("azr_domains", others)(config=config)
        return [domain.name for domain in _flatten(answers)]

    def implementations(self, name: str) -> list[tuple[str, Callable[..., Any]]]:
        """The hooks that one plugin implements, each with its function."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(name)) or []
        return [
            (caller.name, implementation.function)
            for caller in sorted(callers, key=lambda caller: caller.name)
            for implementation in caller.get_hookimpls()
            if implementation.plugin_name == name
        ]

    def domains(self, config: RunConfig) -> dict[str, Domain]:
        """All domains by name; two of one name are an error."""
        return _by_name("domain", _flatten(self._manager.hook.azr_domains(config=config)))

    def verifiers(self, config: RunConfig) -> dict[str, Verifier]:
        """All verifiers by name; two of one name are an error."""
        return _by_name("verifier", _flatten(self._manager.hook.azr_verifiers(config=config)))

    def reward(self, name: str) -> RewardRule:
        """The reward rule of that name, built in or a plugin's."""
        rules: dict[str, RewardRule] = {
            **REWARDS,
            **{rule.name: rule for rule in _flatten(self._manager.hook.azr_rewards())},
        }
        return _choose("reward", name, rules)

    def curriculum(self, name: str) -> Curriculum:
        """A fresh curriculum of that name, built in or a plugin's."""
        makers: dict[str, Callable[[], Curriculum]] = dict(CURRICULA)
        for more in self._manager.hook.azr_curricula():
            makers.update(more)
        return _choose("curriculum", name, makers)()

    def screen(self, draft: Draft) -> Refusal | None:
        """The first refusal; an exception in a screen refuses."""
        for implementation in self._manager.hook.azr_screen_draft.get_hookimpls():
            try:
                refusal = implementation.function(draft)
            except Exception as error:
                self.log(implementation.plugin_name, error)
                return Refusal(f"the screen of plugin {implementation.plugin_name!r} failed")
            if refusal is not None:
                return refusal if isinstance(refusal, Refusal) else Refusal("a screen returned no Refusal")
        return None

    def bonus(self, attempt: Attempt) -> float | None:
        """The mean opinion on a try that passed, in [0, 1]; a plugin that raises or answers otherwise counts as 0."""
        opinions: list[float] = []
        opinion: Any
        for implementation in self._manager.hook.azr_bonus.get_hookimpls():
            try:
                opinion = implementation.function(attempt)
                if opinion is None:
                    continue
                if type(opinion) not in (int, float) or not 0 <= opinion <= 1:
                    raise ValueError(f"a bonus must be a number from 0 to 1, not {opinion!r:.100}")
            except Exception as error:
                self.log(implementation.plugin_name, error)
                opinion = 0.0
            opinions.append(float(opinion))
        return sum(opinions) / len(opinions) if opinions else None

    def gate(self, episode: Episode) -> Drop | None:
        """The first drop; an exception in a gate drops."""
        for implementation in self._manager.hook.azr_gate_group.get_hookimpls():
            try:
                drop = implementation.function(episode)
            except Exception as error:
                self.log(implementation.plugin_name, error)
                return Drop(f"the gate of plugin {implementation.plugin_name!r} failed")
            if drop is not None:
                return drop if isinstance(drop, Drop) else Drop("a gate returned no Drop")
        return None

    def observe(self, event: Event) -> None:
        """Tell every observer; what they raise is logged and swallowed, what they return is ignored."""
        for implementation in self._manager.hook.azr_observe.get_hookimpls():
            try:
                implementation.function(event)
            except Exception as error:
                self.log(implementation.plugin_name, error)

    def on_alarm(self, alarm: Alarm) -> AlarmAction:
        """The strictest action that any plugin asks for; an exception asks for a pause."""
        action: AlarmAction = "continue"
        for implementation in self._manager.hook.azr_on_alarm.get_hookimpls():
            try:
                wanted = implementation.function(alarm) or "continue"
            except Exception as error:
                self.log(implementation.plugin_name, error)
                wanted = "pause"
            strictness = _STRICTNESS.index(wanted if wanted in _STRICTNESS else "pause")
            action = _STRICTNESS[max(strictness, _STRICTNESS.index(action))]
        return action

    def extend_cli(self, app: Any) -> None:
        """Let plugins add commands."""
        self._manager.hook.azr_cli(app=app)


def load_plugin(item: str) -> ModuleType:
    """Import a plugin from a `.py` file or by module name.

    Raises:
        UserError: it does not exist or raises at import.
    """
    path = Path(item)
    if item.endswith(".py") or path.exists():
        if not path.is_file():
            raise UserError(f"plugin file {item} does not exist")
        spec = importlib.util.spec_from_file_location(f"azr_plugin_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise UserError(f"plugin file {item} is no Python source; its name must end in .py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[spec.name]
            raise UserError(f"plugin file {item} raises at import: {_one_line(error)}") from error
        return module
    try:
        return importlib.import_module(item)
    except ModuleNotFoundError as error:
        if error.name != item.partition(".")[0] and error.name != item:
            raise UserError(f"plugin {item!r} raises at import: {_one_line(error)}") from error
        raise UserError(f"plugin {item!r} is neither a file nor an importable module") from None
    except Exception as error:
        raise UserError(f"plugin {item!r} raises at import: {_one_line(error)}") from error


def _load_entry(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise UserError(
            f"installed plugin {entry.name!r} ({entry.value}) raises at import: {_one_line(error)}"
        ) from error


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else ""


def _one_line(error: BaseException) -> str:
    first = str(error).splitlines()[:1]
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__


def _flatten(answers: Iterable[Iterable[_T]]) -> list[_T]:
    return [item for answer in answers for item in answer]


def _by_name(what: str, items: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        if item.name in found:
            raise UserError(f"two plugins bring a {what} named {item.name!r}")
        found[item.name] = item
    return found


def _choose(what: str, name: str, known: Mapping[str, _T]) -> _T:
    if name not in known:
        raise UserError(f"unknown {what} {name!r}; known: {', '.join(sorted(known))}")
    return known[name]
