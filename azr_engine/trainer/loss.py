"""The clipped token-level objective, as pure functions on tensors."""

from __future__ import annotations

import torch


def token_logprobs(logits: torch.Tensor, ids: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of `ids` and entropies under `softmax(logits / temperature)`.

    Args:
        logits: float[..., V].
        ids: int64[...], the token that each of them predicts.

    Returns:
        float[...] log-probabilities and float[...] entropies in nats (the latter without gradient).
    """
    logprobs = torch.log_softmax(logits.float() / temperature, dim=-1)
    chosen = logprobs.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    with torch.no_grad():
        entropy = -(logprobs.exp() * logprobs).sum(-1)
    return chosen, entropy


def clipped_objective(
    logprobs: torch.Tensor,
    old_logprobs: torch.Tensor,
    advantages: torch.Tensor,
    clip_low: float,
    clip_high: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """PPO's clipped surrogate, negated to a loss per token (arXiv 1707.06347, eq. 7; split clip: 2503.14476, eq. 10).

    Args:
        logprobs, old_logprobs: float[...], now and when sampled.
        advantages: float[...] or what broadcasts to it.

    Returns:
        float[...] losses and bool[...], true where the clip took the gradient away.
    """
    ratio = torch.exp(logprobs - old_logprobs)
    plain = ratio * advantages
    limited = ratio.clamp(1.0 - clip_low, 1.0 + clip_high) * advantages
    return -torch.minimum(plain, limited), limited < plain


def importance_weights(logprobs: torch.Tensor, sampled: torch.Tensor, cap: float) -> torch.Tensor:
    """Truncated importance weights `min(cap, p / q)` of tokens that another distribution q than the trainer's p wrote.

    Another engine computes other log-probabilities from the same weights, and may still hold older ones. The product
    with each token's loss is unbiased but for the cap, which bounds its variance (Ionides 2008, "Truncated Importance
    Sampling", eq. 6; as the rho of V-trace: arXiv 1802.01561, section 4.1).

    Args:
        logprobs, sampled: float[...], the trainer's before the update, and those recorded when sampling.
        cap: largest weight, at least 1.

    Returns:
        float[...], without gradient.
    """
    return torch.exp(logprobs - sampled).clamp(max=cap).detach()


def k3_divergence(logprobs: torch.Tensor, base_logprobs: torch.Tensor) -> torch.Tensor:
    """Schulman's k3 estimate of KL(policy || base) per token: `r - log r - 1` with r = base / policy; never negative.

    Args:
        logprobs, base_logprobs: float[...] of the sampled tokens.
    """
    log_ratio = base_logprobs - logprobs
    return torch.exp(log_ratio) - log_ratio - 1.0


def leash_loss(logprobs: torch.Tensor, base_logprobs: torch.Tensor) -> torch.Tensor:
    """Half the squared log-ratio ("k2"): over sampled tokens its gradient is on average that of KL(policy || base).

    The gradient of k3 is that of KL(base || policy) instead, and nothing bounds its tail: in a step of azr-tiny 35 of
    20,655 tokens, those that the base holds more than eleven times likelier, had 96% of its square. On what estimates
    a divergence and what differentiates to its gradient see Tang and Munos 2025, arXiv 2506.09477, section 3.

    Args:
        logprobs, base_logprobs: float[...] of the sampled tokens.
    """
    return 0.5 * (logprobs - base_logprobs).square()
