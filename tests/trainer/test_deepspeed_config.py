"""The user's JSON and our settings: what both say must agree, and who contradicts whom is said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.protocol import TrainerConfig


def resolve(tmp_path: Path, tree: Any, *, bfloat16: bool = False, **settings: Any) -> dict[str, Any]:
    file = tmp_path / "ds.json"
    file.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return deepspeed_config(TrainerConfig(deepspeed=str(file), **settings), bfloat16=bfloat16)


def test_what_the_json_adds_is_kept_and_what_it_leaves_to_us_is_filled_in(tmp_path: Path) -> None:
    tree = {
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_clipping": "auto",
        "communication_data_type": "fp32",
        "zero_optimization": {"stage": 3, "stage3_prefetch_bucket_size": 1000, "offload_optimizer": {"device": "nvme"}},
        "optimizer": {"type": "AdamW", "params": {"lr": "auto", "eps": 1e-6}},
    }
    found = resolve(tmp_path, tree, learning_rate=1e-6, gradient_clip=0.5, offload_optimizer=True)
    assert found["communication_data_type"] == "fp32"
    assert found["gradient_clipping"] == 0.5
    assert found["zero_optimization"] == tree["zero_optimization"]
    assert found["optimizer"]["params"] == {"lr": 1e-6, "eps": 1e-6, "weight_decay": 0.0, "betas": [0.9, 0.99]}


@pytest.mark.parametrize(
    ("tree", "settings", "wanted"),
    [
        ({"gradient_clipping": 0.5}, {}, r"gradient_clipping is 0.5, but trainer.gradient_clip makes it 1.0"),
        (
            {"zero_optimization": {"stage": 2}},
            {"zero_stage": 3},
            r"zero_optimization.stage is 2, but trainer.zero_stage",
        ),
        ({"bf16": {"enabled": True}}, {}, r"bf16.enabled is true, but trainer.precision makes it false"),
        ({"fp16": {"enabled": True}}, {}, r"fp16.enabled"),
        ({"train_batch_size": 32}, {}, r"train_batch_size must be left out; .*micro_batch_tokens"),
        ({"gradient_accumulation_steps": 4}, {}, r"gradient_accumulation_steps must be left out"),
        ({"scheduler": {"type": "WarmupLR"}}, {}, r"scheduler must be left out"),
        ({"optimizer": {"type": "AdamW", "params": {"lr": 1.0}}}, {}, r"optimizer.params.lr .* trainer.learning_rate"),
        ({"bf16": True}, {}, r"bf16 must be an object"),
        ({"zero_optimization": {"stage": 7}}, {}, r"must be 0, 1, 2 or 3"),
        ([1], {}, r"must be a JSON object"),
        ("{", {}, r"not valid JSON"),
    ],
)
def test_a_contradiction_names_both_sides(tmp_path: Path, tree: Any, settings: dict[str, Any], wanted: str) -> None:
    with pytest.raises(UserError, match=wanted) as caught:
        resolve(tmp_path, tree, **settings)
    assert "ds.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent.json: No such file"):
        deepspeed_config(TrainerConfig(deepspeed=str(tmp_path / "absent.json")), bfloat16=False)


@pytest.mark.parametrize(
    ("settings", "bfloat16", "wanted"),
    [
        ({"offload_parameters": True, "zero_stage": 2}, False, "zero_stage=3"),
        ({"offload_optimizer": True}, False, "zero_stage=2"),
        ({"zero_stage": 0}, True, "zero_stage=1"),
    ],
)
def test_impossible_settings_say_what_to_set(settings: dict[str, Any], bfloat16: bool, wanted: str) -> None:
    with pytest.raises(UserError, match=wanted):
        deepspeed_config(TrainerConfig(**settings), bfloat16=bfloat16)


def test_the_stage_follows_the_precision_where_nobody_names_one() -> None:
    stages = [deepspeed_config(TrainerConfig(), bfloat16=b)["zero_optimization"]["stage"] for b in (False, True)]
    assert stages == [0, 1]
