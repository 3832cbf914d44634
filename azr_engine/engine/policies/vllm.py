"""Sampling from a vLLM server over its OpenAI-compatible HTTP interface, with the run's own weights.

The server begins with any weights of the same model. Whenever the policy is told that the weights have another version,
it writes them to a file that the server reads in place, and every batch is preceded by a check that the server still
serves that version, so a restarted server is noticed. After each handover the server's log-probabilities are compared
with the model's own on one prompt.

The server is started apart, in an environment of its own if it needs another torch: see `docs/scale.md`. Not
covered: prompts other than text, and servers of another vendor, which cannot take weights.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.policies.lora import merged_weights
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.types import Completion

MAX_MISMATCH = 0.1
"""Mean distance of log-probabilities, in nats a token, over which the two engines cannot be of the same model."""

_PARALLEL = 64
"""Requests under way at once; the server forms its own batches of them."""

_PATIENCE_SECONDS = 3600.0
_MASK31 = (1 << 31) - 1


class VllmPolicy(TransformersPolicy):
    """The model as a vLLM server samples from it; what encodes prompts and trains stays in this process.

    Args:
        loaded: model and tokenizer; the model's weights are those that are handed over.
        url: of the server, such as `http://127.0.0.1:8000`.
        shared: a folder that this process and the server see; a temporary one by default.

    Raises:
        UserError: no such server answers, or it cannot take weights.
    """

    def __init__(self, loaded: LoadedModel, url: str, shared: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._shared = Path(tempfile.mkdtemp(prefix="azr-weights-", dir=shared))
        self._version = -1
        self.mismatch = 0.0
        """Mean distance of the server's log-probabilities from the model's own when weights were last handed over."""
        self._name = str(self._ask("GET", "/v1/models")["data"][0]["id"])
        super().__init__(loaded)

    @property
    def weight_version(self) -> int:
        """The version of the weights that completions are sampled with. Setting another hands the weights over."""
        return self._version

    @weight_version.setter
    def weight_version(self, version: int) -> None:
        if version != self._version:
            self._hand_over(version)
            self._version = version
            self._compare()

    def close(self) -> None:
        """Remove the handed over weights; the server goes on."""
        shutil.rmtree(self._shared, ignore_errors=True)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[list[Completion]]:
        """`n_samples` completions for each prompt; temperature 0 means greedy.

        Raises:
            UserError: the server is gone, or serves other weights than these.
        """
        self._check_version()

        def ask(number: int) -> list[Completion]:
            request = {
                "model": self._name,
                "prompt": list(prompts[number]),
                "n": n_samples,
                "max_tokens": max_new_tokens,
                "temperature": temperature,
                # The server would take these from the model's generation settings otherwise.
                "top_p": 1.0,
                "top_k": 0,
                "min_p": 0.0,
                "repetition_penalty": 1.0,
                "seed": (seed * 1_000_003 + number * n_samples) & _MASK31,
                "logprobs": 0,
                "return_token_ids": True,
                "stop_token_ids": sorted(self._ends),
            }
            choices = sorted(self._ask("POST", "/v1/completions", request)["choices"], key=lambda c: int(c["index"]))
            return [self._of_choice(prompts[number], choice) for choice in choices]

        with ThreadPoolExecutor(_PARALLEL) as pool:
            return list(pool.map(ask, range(len(prompts))))

    def _of_choice(self, prompt: Sequence[int], choice: dict[str, Any]) -> Completion:
        ids = [int(token) for token in choice["token_ids"]]
        return self._completion(prompt, ids, [float(value) for value in choice["logprobs"]["token_logprobs"]])

    def _hand_over(self, version: int) -> None:
        """Write the weights, an adapter merged, and have every worker of the server take them."""
        file = self._shared / f"{version}.safetensors"
        weights = {name: value.detach().cpu().contiguous() for name, value in merged_weights(self.model)}
        save_file(weights, file)
        self._ask("POST", "/collective_rpc", {"method": "azr_load", "args": [str(file), str(version)]})
        self._ask("POST", "/reset_prefix_cache")
        file.unlink()

    def _check_version(self) -> None:
        served = self._ask("POST", "/collective_rpc", {"method": "azr_serves"})["results"]
        if set(served) != {str(self._version)}:
            raise UserError(
                f"the server {self._url} serves weights of version {', '.join(sorted(set(served)))}, not "
                f"{self._version}; was it restarted? Continue with --resume"
            )

    @torch.inference_mode()
    def _compare(self) -> None:
        """Sample a few tokens at another temperature than 1, and score them with the model itself."""
        temperature = 0.7
        prompt = self.encode("1 + 1 =")
        ((completion,),) = self.generate([prompt], n_samples=1, max_new_tokens=16, temperature=temperature, seed=0)
        self.model.eval()
        row = torch.tensor([[*prompt, *completion.ids]], device=self.model.device)
        logits = self.model(input_ids=row).logits[:, len(prompt) - 1 : -1]
        own = torch.log_softmax(logits[0].float() / temperature, -1).gather(1, row[0, len(prompt) :, None]).squeeze(1)
        self.mismatch = float((own - torch.tensor(completion.logprobs, device=own.device)).abs().mean())
        if not self.mismatch < MAX_MISMATCH:
            raise UserError(
                f"the server {self._url} gives log-probabilities {self.mismatch:.2f} nats from the model's own; start "
                "it with the same model and --logprobs-mode processed_logprobs"
            )

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """A JSON request and its JSON answer; None where the answer is empty."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            reason = " ".join(error.read(500).decode(errors="replace").split())
            raise UserError(f"the server {self._url} refused {path}: {error.code} {reason}{_hint(error)}") from None
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
            raise UserError(
                f"the server {self._url} does not answer ({reason}); start it, then run again, with --resume if the "
                "run had begun"
            ) from None
        return json.loads(text) if text else None


def _hint(error: urllib.error.HTTPError) -> str:
    """What to do about a server that lacks what hands weights over."""
    if error.code in (404, 500):
        return (
            "; it must run with VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls "
            "azr_engine.engine.policies.vllm_worker.WeightSync"
        )
    return ""
