"""Every mistake of the user's ends in one clear line and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Command


def one_line(azr: Command, arguments: list[str], *wanted: str, stdin: str = "") -> None:
    result = azr(arguments, stdin=stdin)
    assert result.returncode == 2, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for piece in wanted:
        assert piece in lines[0]


def test_unknown_domain_names_the_known_ones(azr: Command, tmp_path: Path) -> None:
    one_line(azr, ["run", "--domains", "python,cooking", "--out", str(tmp_path / "r")], "'cooking'", "math", "python")
    assert not (tmp_path / "r").exists()


def test_unwritable_output_folder(azr: Command, untrained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "run"
    one_line(azr, ["run", "--domains", "python", "--model", str(untrained), "--out", str(out)], str(out))


def test_existing_run_needs_resume(azr: Command, untrained: Path, tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("")
    one_line(
        azr,
        ["run", "--domains", "python", "--model", str(untrained), "--out", str(tmp_path)],
        str(tmp_path),
        "--resume",
    )


def test_resume_of_nothing(azr: Command, tmp_path: Path) -> None:
    one_line(azr, ["run", "--resume", "--out", str(tmp_path)], "no run to resume")
    one_line(azr, ["run", "--resume"], "--out")


def test_malformed_toml_names_the_file(azr: Command, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("steps = = 3\n")
    one_line(azr, ["run", "--config", str(file), "--dry-run"], str(file), "TOML")


@pytest.mark.parametrize(
    ("assignment", "wanted"),
    [
        ("trainer.leraning_rate=1", "'trainer.leraning_rate'"),
        ("steps=-3", "'steps'"),
        ("play.advantage=magic", "'play.advantage'"),
        ("steps", "name=value"),
        ("steps.a=1", "'steps'"),
    ],
)
def test_unknown_or_impossible_setting(azr: Command, assignment: str, wanted: str) -> None:
    one_line(azr, ["run", "--set", assignment, "--dry-run"], wanted)


def test_unknown_reward_and_curriculum(azr: Command) -> None:
    one_line(azr, ["run", "--reward", "gold-stars", "--dry-run"], "'gold-stars'", "learnability")
    one_line(azr, ["run", "--curriculum", "vibes", "--dry-run"], "'vibes'", "uniform")


def test_plugin_that_raises_at_import(azr: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    one_line(azr, ["run", "--plugin", str(file), "--dry-run"], str(file), "ZeroDivisionError")
    one_line(azr, ["run", "--plugin", str(tmp_path / "absent.py"), "--dry-run"], "does not exist")


def test_model_folder_without_a_tokenizer(azr: Command, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}')
    one_line(azr, ["run", "--model", str(model), "--out", str(tmp_path / "r")], str(model), "tokenizer")


def test_the_process_tier_needs_a_confession(azr: Command) -> None:
    result = azr(["admit", "--domain", "python", "--sandbox", "process"], stdin="")
    assert result.returncode == 2
    assert "--i-know-this-is-not-a-sandbox" in result.stderr


@pytest.mark.parametrize("command", ["admit", "judge"])
def test_json_lines_name_the_bad_line_and_answer_the_good_ones(azr: Command, command: str) -> None:
    good = json.dumps({"kind": "deduction", "draft": {"program": "def f(x): return x+1", "input": "3"}, "answer": "4"})
    result = azr([command, "--domain", "python"], stdin=f"{good}\n\nthis is not json\n{good}\n")
    assert result.returncode == 2
    assert "line 3 is not JSON" in result.stderr
    assert len(result.stdout.splitlines()) == 1
    for bad, wanted in [("[1]", "no JSON object"), ('{"kind": 3}', "'")]:
        one_line(azr, [command, "--domain", "python"], "line 1", wanted, stdin=bad + "\n")


def test_unknown_suite(azr: Command) -> None:
    one_line(azr, ["eval", "azr-tiny", "--suite", "nonsense"], "'nonsense'", "heldout")


def test_missing_model_folder(azr: Command, tmp_path: Path) -> None:
    one_line(azr, ["eval", str(tmp_path / "absent")], "does not exist")


def test_a_configuration_that_is_a_folder(azr: Command, tmp_path: Path) -> None:
    one_line(azr, ["run", "--config", str(tmp_path), "--dry-run"], "cannot read")
