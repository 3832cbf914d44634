"""Linear layers by oneDNN: torch's own values and gradients, whatever the number of rows; kernels are not hoarded."""

from __future__ import annotations

import copy
import resource
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.engine.policies import linear
from azr_engine.engine.policies.linear import WideLinear, outer_products, product, use_wide_vectors

BACKENDS: Any = torch.backends
pytestmark = pytest.mark.skipif(not BACKENDS.mkldnn.is_available(), reason="this torch has no oneDNN")


def wide(layer: nn.Module, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A copy that computes this way, as it would on a processor that gains by it."""
    monkeypatch.setattr(linear, "held_back", lambda: True)
    changed = copy.deepcopy(layer)
    use_wide_vectors(changed)
    return changed


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.sampled_from([(8, 24), (64, 128), (256, 192)]))
def test_products_are_torchs_own(n_rows: int, shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(n_rows)
    rows = torch.randn(n_rows, shape[1], generator=generator)
    weight = torch.randn(shape, generator=generator)
    left = torch.randn(n_rows, shape[0], generator=generator)
    assert torch.allclose(product(rows, weight), rows @ weight.t(), atol=1e-4)
    assert torch.allclose(product(left, weight.t()), left @ weight, atol=1e-4)
    assert torch.allclose(outer_products(left, rows), left.t() @ rows, atol=1e-3)


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_has_the_values_and_gradients_of_the_one_it_was(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    plain = nn.Linear(128, 192, bias=bias)
    changed = wide(plain, monkeypatch)
    assert isinstance(changed, WideLinear)
    inputs = torch.randn(3, 100, 128).requires_grad_()
    found = []
    for layer in (plain, changed):
        inputs.grad = None
        out = layer(inputs)
        (out**2).sum().backward()
        found.append([out, inputs.grad, *(parameter.grad for parameter in layer.parameters())])
    for expected, got in zip(*found, strict=True):
        assert torch.allclose(expected, got, rtol=1e-4, atol=1e-2)


def test_a_frozen_layer_passes_the_gradient_on_and_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = wide(nn.Linear(128, 192), monkeypatch).requires_grad_(False)
    inputs = torch.randn(300, 128).requires_grad_()
    layer(inputs).sum().backward()
    assert layer.weight.grad is None
    assert inputs.grad is not None
    assert torch.allclose(inputs.grad, layer.weight.sum(0).expand(300, -1), atol=1e-4)


def test_a_model_says_the_same_and_saves_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model(Recipe(hidden=128, layers=2, heads=4, kv_heads=2, intermediate=256), 64).eval()
    changed = wide(model, monkeypatch)
    ids = torch.randint(3, 64, (5, 90), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(model(input_ids=ids).logits, changed(input_ids=ids).logits, atol=1e-4)
    assert model.state_dict().keys() == changed.state_dict().keys()
    assert changed.lm_head.weight is changed.model.embed_tokens.weight, "tied weights stay tied"


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_left_alone(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = nn.Linear(64, 128).to(dtype)
    inputs = torch.randn(300, 64, dtype=dtype)
    assert torch.equal(wide(plain, monkeypatch)(inputs), plain(inputs))


def test_new_numbers_of_rows_take_no_new_memory() -> None:
    rows, weight = torch.randn(3000, 128), torch.randn(192, 128)
    product(rows, weight)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n_rows in range(1000, 3000, 10):
        product(rows[:n_rows], weight)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024, (
        "in KiB; a kernel each would be 100 MiB"
    )
