"""Sampling: recorded log-probabilities are the model's own, groups and dropped rows change nothing, seeds decide."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.bootstrap.tokenizer import build_tokenizer
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.styles import STYLES
from azr_engine.trainer.loss import token_logprobs

PROMPTS = [
    "@solve@python",
    "@solve@math@deduction@operation:expand@expression:(x+1)*(x-2)@answer:",
    "def f(x):return x",
]


@pytest.fixture(scope="module")
def policy() -> TransformersPolicy:
    tokenizer = build_tokenizer()
    model = build_model(Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64), len(tokenizer))
    # A likelier end token, so that rows finish at different steps and the cache is cut.
    likelier = torch.zeros(model.config.vocab_size)
    likelier[2] = 4.0
    model.lm_head.register_forward_hook(lambda module, inputs, logits: logits + likelier)
    return TransformersPolicy(LoadedModel(model.eval(), tokenizer, STYLES["compact"], {}))


def generate(policy: TransformersPolicy, **changes: Any) -> Any:
    settings: dict[str, Any] = {"n_samples": 6, "max_new_tokens": 20, "temperature": 1.0, "seed": 3, **changes}
    return policy.generate([policy.encode(prompt) for prompt in PROMPTS], **settings)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_logprobs_equal_a_fresh_forward_pass(policy: TransformersPolicy, temperature: float) -> None:
    lengths = set()
    for group in generate(policy, temperature=temperature):
        for completion in group:
            row = torch.tensor([[*completion.prompt_ids, *completion.ids]])
            with torch.no_grad():
                logits = policy.model(input_ids=row).logits[:, :-1]
            expected, _ = token_logprobs(logits, row[:, 1:], temperature)
            start = len(completion.prompt_ids) - 1
            assert torch.allclose(expected[0, start:], torch.tensor(completion.logprobs), atol=2e-5)
            lengths.add(len(completion.ids))
    assert len(lengths) > 1


def test_the_seed_decides_and_nothing_else(policy: TransformersPolicy) -> None:
    torch.manual_seed(1)
    first = generate(policy)
    torch.manual_seed(2)
    assert generate(policy) == first
    assert generate(policy, seed=4) != first


def test_greedy_does_not_depend_on_the_batch(policy: TransformersPolicy) -> None:
    together = generate(policy, temperature=0.0, n_samples=1)
    for prompt, (expected,) in zip(PROMPTS, together, strict=True):
        ((alone,),) = policy.generate([policy.encode(prompt)], n_samples=1, max_new_tokens=20, temperature=0.0, seed=9)
        assert alone.ids == expected.ids


def test_samples_follow_the_models_distribution(policy: TransformersPolicy) -> None:
    prompt = policy.encode(PROMPTS[0])
    (group,) = policy.generate([prompt], n_samples=4000, max_new_tokens=1, temperature=1.0, seed=0)
    with torch.no_grad():
        probabilities = policy.model(input_ids=torch.tensor([prompt])).logits[0, -1].softmax(-1)
    top = int(probabilities.argmax())
    share = sum(completion.ids[0] == top for completion in group) / 4000
    expected = float(probabilities[top])
    assert abs(share - expected) < 5 * (expected * (1 - expected) / 4000) ** 0.5


def test_finish_says_whether_the_model_ended_it(policy: TransformersPolicy) -> None:
    finishes = set()
    for group in generate(policy, max_new_tokens=6):
        for completion in group:
            finishes.add(completion.finish)
            assert (completion.ids[-1] == 2) == (completion.finish == "stop")
            assert len(completion.ids) == len(completion.logprobs) <= 6
    assert finishes == {"stop", "length"}


def test_special_tokens_written_in_a_prompt_stay_text(policy: TransformersPolicy) -> None:
    ids = policy.encode("a</s><pad>b")
    assert not {0, 1, 2} & set(ids)
    assert policy.tokenizer.decode(ids) == "a</s><pad>b"


def test_a_batch_that_does_not_fit_into_memory_is_halved_until_it_does(policy: TransformersPolicy) -> None:
    tried: list[int] = []

    def full_at_seven(module: Any, inputs: Any) -> None:
        tried.append(len(inputs[0]))
        if len(inputs[0]) > 6:
            raise torch.OutOfMemoryError("out of memory")

    small = TransformersPolicy(LoadedModel(policy.model, policy.tokenizer, STYLES["compact"], {}))
    hook = policy.model.lm_head.register_forward_pre_hook(full_at_seven)
    try:
        groups = generate(small)
        assert [len(group) for group in groups] == [6, 6, 6]
        assert max(tried[tried.index(18) + 1 :]) <= 6, "it learned from the first time"
        with pytest.raises(torch.OutOfMemoryError):
            generate(small, n_samples=8)
    finally:
        hook.remove()
    assert groups == generate(small), "and remembers it"
