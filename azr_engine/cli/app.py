"""The Typer application: the built-in commands, and those that plugins add."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from azr_engine.cli import (
    admit,
    bench,
    bootstrap,
    compare,
    doctor,
    evaluate,
    export,
    judge,
    plugins,
    replay,
    report,
    review,
    run,
    tasks,
    verify_log,
    watch,
)

BUILT_IN = (
    *("run", "eval", "compare", "admit", "judge", "export", "bootstrap", "bench", "plugins", "doctor"),
    *("report", "watch", "tasks", "replay", "review", "verify-log"),
)


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """The application for these arguments. Plugins are loaded only for a command that is not built in."""
    app = typer.Typer(
        name="azr-engine",
        help="Self-play for language models: one policy invents tasks and solves them, verifier plugins judge.",
        epilog="Start with: azr-engine run --domains python,math --steps 20",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command("run")(run.run)
    app.command("eval")(evaluate.evaluate)
    app.command("compare")(compare.compare)
    app.command("admit")(admit.admit)
    app.command("judge")(judge.judge)
    app.command("export")(export.export)
    app.command("bootstrap")(bootstrap.bootstrap)
    app.command("bench")(bench.bench)
    app.command("doctor")(doctor.doctor)
    app.command("report")(report.report)
    app.command("watch")(watch.watch)
    app.command("tasks")(tasks.tasks)
    app.command("replay")(replay.replay)
    app.command("review")(review.review)
    app.command("verify-log")(verify_log.verify_log)
    app.add_typer(plugins.app, name="plugins")
    words = [argument for argument in arguments if not argument.startswith("-")]
    if words and words[0] not in BUILT_IN:
        from azr_engine.plugins.manager import Plugins

        Plugins().extend_cli(app)
    return app
