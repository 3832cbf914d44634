"""An exported folder is an ordinary model with the logits of the run's policy; nothing is ever overwritten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from azr_engine.cli.export import write
from azr_engine.engine.backends import open_backends
from azr_engine.engine.config import load_config, to_toml
from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.trained import load_trained
from tests.conftest import Command
from tests.models.small import some_samples

ROW = torch.randint(3, 60, (2, 12), generator=torch.Generator().manual_seed(0))


def trained_run(run: Path, model: Path, settings: Sequence[str]) -> torch.Tensor:
    """A run of one update, checkpointed; returns the logits of the policy that the next step would sample from."""
    config = load_config(None, ["trainer.learning_rate=0.01", "threads=1", *settings], {"model.name": str(model)})
    with RunDirectory.create(run) as directory, open_backends(config) as backends:
        directory.write_config(to_toml(config))
        backends.trainer.update(some_samples(8, 0), clip_high=0.2, temperature=1.0)
        directory.save_checkpoint(1, backends.trainer.save, {"step": 1}, keep=1)
        policy: Any = backends.policy
        with torch.no_grad():
            logits: torch.Tensor = policy.model.eval()(ROW).logits
        return logits


def deepspeed_json(folder: Path) -> str:
    """ZeRO-3 that partitions even the smallest parameter."""
    pytest.importorskip("deepspeed")
    file = folder / "ds.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 0}}))
    return f"trainer.deepspeed={file}"


@pytest.mark.parametrize(
    "kind", ["torch", "deepspeed", "deepspeed, ZeRO-3", "torch, adapter", "deepspeed, ZeRO-3, adapter", "bfloat16"]
)
def test_the_export_has_the_logits_of_the_runs_policy(kind: str, untrained: Path, tmp_path: Path) -> None:
    settings = ["trainer.backend=torch" if kind.startswith("torch") else "trainer.backend=deepspeed"]
    if "deepspeed" in kind or kind == "bfloat16":
        pytest.importorskip("deepspeed")
    if "ZeRO-3" in kind:
        settings.append(deepspeed_json(tmp_path))
    if "adapter" in kind:
        pytest.importorskip("peft")
        settings += ["model.lora.r=4", "trainer.kl_solve=0.01"]
    if kind == "bfloat16":
        settings.append("trainer.precision=bfloat16")
    expected = trained_run(tmp_path / "run", untrained, settings)
    result = write(str(tmp_path / "run"), tmp_path / "out")
    assert result["step"] == 1
    assert result["precision"] == str(expected.dtype).removeprefix("torch.")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    start = AutoModelForCausalLM.from_pretrained(untrained, dtype=model.dtype)
    # Equal weights in bfloat16 may still round a product differently, depending on where it lies in memory.
    atol = 5e-3 if kind == "bfloat16" else 2e-5
    with torch.no_grad():
        assert torch.allclose(model(ROW).logits, expected, atol=atol)
        assert not torch.allclose(start(ROW).logits, expected, atol=1e-2)
        assert torch.allclose(load_trained(str(tmp_path / "run")).model(ROW).logits, expected, atol=atol)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").get_vocab()
    assert not list(tmp_path.rglob(".tmp-*"))


def test_an_exported_folder_plays_in_the_style_of_its_model(untrained: Path, tmp_path: Path) -> None:
    write(str(untrained), tmp_path / "out")
    again = load_trained(str(tmp_path / "out"))
    assert again.style.name == "compact"
    assert again.settings == json.loads((untrained / "azr.json").read_text())


def test_mistakes_are_one_line_and_leave_nothing(azr: Command, untrained: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.resolved.toml").write_text("seed = 1\n")
    (tmp_path / "file").write_text("")
    for source, folder, wanted in [
        (str(untrained), "there", "exists"),
        (str(tmp_path / "run"), "out", "no checkpoint yet"),
        (str(tmp_path / "absent"), "out", "does not exist"),
        (str(untrained), "file/out", "out"),
    ]:
        with pytest.raises(UserError, match=wanted) as caught:
            write(source, tmp_path / folder)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    result = azr(["export", str(untrained), str(tmp_path / "there")])
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {tmp_path / 'there'} exists; name a folder that does not\n"
