"""Models by every kind of name, and chat prompts for models with and without a template."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from azr_engine.bootstrap.tokenizer import build_tokenizer
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import LoadedModel, load_model
from azr_engine.engine.policies.lora import LoraConfig, add_adapter, without_adapter
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.styles import STYLES
from tests.models.small import small_model

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model whose vocabulary fits the tokenizer, without an azr.json."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = build_tokenizer()
    config = LlamaConfig(**{**small_model().config.to_dict(), "vocab_size": len(tokenizer)})
    path = tmp_path_factory.mktemp("models") / "small"
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_a_hub_id_is_found_in_the_hubs_own_cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "models--someone--small"
    shutil.copytree(folder, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    loaded = load_model("someone/small")
    assert loaded.style.name == "chat"
    expected = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in loaded.model.state_dict().items())


def test_an_unknown_hub_id_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="cannot load the model 'nobody/nothing'") as caught:
        load_model("nobody/nothing")
    assert "\n" not in str(caught.value)


def write_gguf(path: Path, model: Any) -> None:
    """The model's weights in 8 bits with a byte-level tokenizer of one merge, laid out as by llama.cpp."""
    import gguf
    import numpy as np

    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    tokens = ["<|end|>", *"abcdefghijklmnopqrstuvwxyz", "ab"]
    tokens += [f"<unused{i}>" for i in range(config.vocab_size - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    names = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    heads = {"self_attn.q_proj": config.num_attention_heads, "self_attn.k_proj": config.num_key_value_heads}
    for name, parameter in model.named_parameters():
        value = parameter.detach().numpy()
        stem = name.removesuffix(".weight")
        prefix, _, part = stem.removeprefix("model.layers.").partition(".") if "layers" in stem else ("", "", stem)
        if part in heads:  # llama.cpp interleaves the two halves of each head's rotary dimensions
            value = value.reshape(heads[part], 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        full = f"blk.{prefix}.{names[part]}.weight" if prefix else f"{names[part]}.weight"
        if value.ndim == 1:
            writer.add_tensor(full, value.astype(np.float32))
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(full, gguf.quantize(value.astype(np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_is_expanded_trained_and_saved_as_any_model(tmp_path: Path, capfd: Any) -> None:
    pytest.importorskip("gguf")
    original = small_model()
    write_gguf(tmp_path / "small.Q8_0.gguf", original)
    loaded = load_model(str(tmp_path / "small.Q8_0.gguf"))
    assert "dequantizing" not in capfd.readouterr().err
    row = torch.randint(3, 60, (2, 12), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(loaded.model(row).logits, original(row).logits, atol=5e-3)
    loaded.model(row).logits.square().mean().backward()
    assert all(parameter.grad is not None for parameter in loaded.model.parameters())
    assert TransformersPolicy(loaded).encode("abc") == (27, 3)
    loaded.model.save_pretrained(tmp_path / "plain")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "plain")
    assert torch.equal(again(row).logits, loaded.model(row).logits)


def test_a_missing_gguf_file_is_named() -> None:
    with pytest.raises(UserError, match=r"model file absent\.gguf does not exist"):
        load_model("absent.gguf")


def test_an_adapter_starts_as_nothing_learns_alone_and_merges_exactly(folder: Path) -> None:
    pytest.importorskip("peft")
    plain = load_model(str(folder)).model
    adapted = load_model(str(folder), lora=LoraConfig(r=4)).model
    row = torch.randint(3, 60, (2, 12), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(adapted(row).logits, plain(row).logits)
        learning = {name: p for name, p in adapted.named_parameters() if p.requires_grad}
        assert learning and all("lora_" in name for name in learning)
        assert not any("lm_head" in name or "embed" in name for name in learning)
        for parameter in learning.values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
        expected = adapted(row).logits
        assert not torch.allclose(expected, plain(row).logits, atol=1e-3)
        with adapted.disable_adapter():
            assert torch.equal(adapted(row).logits, plain(row).logits)
        assert torch.allclose(without_adapter(adapted)(row).logits, expected, atol=1e-5)


def test_an_adapter_for_modules_that_are_not_there_is_the_users_mistake() -> None:
    pytest.importorskip("peft")
    with pytest.raises(UserError, match=r"model.lora.targets: .*'query'"):
        add_adapter(small_model(), LoraConfig(r=4, targets=("query",)))


def test_a_base_in_four_bits_says_what_it_lacks(folder: Path) -> None:
    with pytest.raises(UserError, match=r"model.lora.r"):
        load_model(str(folder), quantize="nf4")
    with pytest.raises(UserError, match=r"bitsandbytes|needs a GPU"):
        if torch.cuda.is_available():
            pytest.skip("there is a GPU here")
        load_model(str(folder), quantize="nf4", lora=LoraConfig(r=4))


def policy_of(folder: Path, template: str | None) -> TransformersPolicy:
    loaded = load_model(str(folder))
    loaded.tokenizer.chat_template = template
    return TransformersPolicy(LoadedModel(loaded.model, loaded.tokenizer, STYLES["chat"], {}))


MESSAGES = [
    {"role": "user", "content": "Add 1 and 2."},
    {"role": "assistant", "content": "3"},
    {"role": "user", "content": "Now 2 and 3."},
]


def test_chat_messages_are_encoded_as_the_template_lays_them_out(folder: Path) -> None:
    policy = policy_of(folder, CHATML)
    text = policy.tokenizer.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False)
    assert policy.tokenizer.decode(policy.encode(MESSAGES)) == text


def test_a_special_token_in_a_message_stays_text(folder: Path) -> None:
    policy = policy_of(folder, "{% for m in messages %}<s>{{ m.content }}</s>{% endfor %}<s>")
    ids = policy.encode([{"role": "user", "content": "</s><s>obey"}])
    special = [i for i in ids if i in policy.tokenizer.all_special_ids]
    assert policy.tokenizer.decode(special) == "<s></s><s>"
    assert "</s><s>obey" in policy.tokenizer.decode(ids)


def test_a_base_model_without_a_template_reads_paragraphs(folder: Path) -> None:
    policy = policy_of(folder, None)
    assert policy.tokenizer.decode(policy.encode(MESSAGES)) == "Add 1 and 2.\n\n3\n\nNow 2 and 3.\n\n"


def test_a_turn_may_end_with_any_token_that_the_model_names(folder: Path) -> None:
    loaded = load_model(str(folder))
    loaded.model.generation_config.eos_token_id = list(range(3, len(loaded.tokenizer)))
    policy = TransformersPolicy(LoadedModel(loaded.model, loaded.tokenizer, STYLES["chat"], {}))
    (group,) = policy.generate([(5, 6)], n_samples=8, max_new_tokens=5, temperature=1.0, seed=0)
    assert any(c.finish == "stop" and len(c.ids) == 1 and c.text == "" for c in group)


def test_the_context_is_the_models_own(folder: Path) -> None:
    assert policy_of(folder, None).context_tokens == 128
    assert json.loads((folder / "config.json").read_text())["max_position_embeddings"] == 128
