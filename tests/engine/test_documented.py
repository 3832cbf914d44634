"""Every metric, hook, setting and command is documented."""

from __future__ import annotations

import inspect
from pathlib import Path

from azr_engine.engine.metrics import PhaseClock, Played, step_metrics
from azr_engine.plugins import hookspecs

DOCS = Path(__file__).parents[2] / "docs"


def test_every_metric_is_in_the_reference() -> None:
    line = step_metrics(
        step=1,
        clock=PhaseClock(),
        domains=["d"],
        played=Played(coverage={"d": {"skeletons": 0, "behaviours": 0, "niches": 0, "tasks": 0}}),
        update=None,
        alarms=[],
        weight_version=0,
    )
    text = (DOCS / "file-formats.md").read_text()
    names = set(line) - {"domains", "policy", "tokens", "phase_seconds"} | {"phase_seconds"}
    names |= {f"tokens.{key}" for key in line["tokens"]} | {f"policy.{key}" for key in line["policy"]}
    names |= {f"domains.NAME.{key}" for key in line["domains"]["d"] if key != "kinds"} | set(line["phase_seconds"])
    names |= set(line["domains"]["d"]["coverage"]) | set(line["domains"]["d"]["solve_rates"])
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_every_hook_explains_itself_with_an_example() -> None:
    hooks = {name: value for name, value in vars(hookspecs).items() if name.startswith("azr_")}
    assert len(hooks) == 10
    for name, hook in hooks.items():
        text = inspect.getdoc(hook) or ""
        assert f"def {name}(" in text, name


def test_every_hook_example_is_a_plugin_that_loads() -> None:
    import types

    from azr_engine.engine import types as engine_types
    from azr_engine.plugins.manager import Plugins

    for name, hook in vars(hookspecs).items():
        if not name.startswith("azr_"):
            continue
        lines = [line[4:] for line in (inspect.getdoc(hook) or "").splitlines() if line.startswith((">>> ", "... "))]
        module = types.ModuleType(f"example_{name}")
        module.__dict__.update(hookimpl=hookspecs.hookimpl, Refusal=engine_types.Refusal, Drop=engine_types.Drop)
        # The project's own documentation, not a model's text.
        exec("\n".join(lines), module.__dict__)  # noqa: S102
        plugins = Plugins()
        plugins._register(module.__name__, module, "", "docs")
        assert name in {hook for info in plugins.info() if info.name == module.__name__ for hook in info.hooks}
