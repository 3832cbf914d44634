"""A vLLM server over its OpenAI-compatible HTTP interface.

Not covered: servers of another vendor, which cannot take weights.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.lora import merged_weights
from azr_engine.engine.policies.vllm_handover import adapter_folder, base_weights, weights_file
from azr_engine.engine.policies.vllm_protocol import Request, Row

_PARALLEL = 64
"""Requests under way at once; the server forms its own batches of them."""

_PATIENCE_SECONDS = 3600.0

_LOAD_ADAPTER = "/v1/load_lora_adapter"
"""Where a server that may be given adapters takes them."""


class ServerEngine:
    """A `vllm.Engine` in another process, perhaps on another machine.

    Args:
        url: of the server, such as `http://127.0.0.1:8000`.
        adapts: take the model's adapter alone, if the server was started so that it can.

    Raises:
        UserError: no such server answers, or it is another kind of server.
    """

    def __init__(self, url: str, *, adapts: bool = False) -> None:
        self._url = url.rstrip("/")
        self.name = f"the server {self._url}"
        self.mend = "start it with the same model and --logprobs-mode processed_logprobs"
        try:
            self._model = str(self._ask("GET", "/v1/models")["data"][0]["id"])
        except (TypeError, LookupError):
            raise UserError(f"{self.name} is none of vLLM's: it names no model at /v1/models") from None
        self._adapts = adapts and self._can_adapt()
        self._adapter: str | None = None
        self._n_adapters = 0

    def _can_adapt(self) -> bool:
        try:
            return _LOAD_ADAPTER in self._ask("GET", "/openapi.json")["paths"]
        except UserError:
            return False

    def sample(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], request: Request) -> list[list[Row]]:
        """One HTTP request a prompt, many at a time."""

        def ask(number: int) -> list[Row]:
            body = {
                "model": self._adapter or self._model,
                "prompt": list(prompts[number]),
                "n": request.n_samples,
                "max_tokens": request.max_new_tokens,
                "temperature": request.temperature,
                # The server would take these from the model's generation settings otherwise.
                "top_p": 1.0,
                "top_k": 0,
                "min_p": 0.0,
                "repetition_penalty": 1.0,
                "seed": seeds[number],
                "logprobs": 0,
                "return_token_ids": True,
                "stop_token_ids": list(request.ends),
            }
            choices = sorted(self._ask("POST", "/v1/completions", body)["choices"], key=lambda c: int(c["index"]))
            return [_row(choice) for choice in choices]

        with ThreadPoolExecutor(_PARALLEL) as pool:
            return list(pool.map(ask, range(len(prompts))))

    def take(self, model: Any, folder: Path, version: int) -> None:
        """Have every worker read the weights in place, and forget what others computed.

        An adapter comes merged, or, where the server takes it alone, after its base was read once.
        """
        if not self._adapts or self._adapter is None:
            with weights_file(base_weights(model) if self._adapts else merged_weights(model), folder) as file:
                self._ask("POST", "/collective_rpc", {"method": "azr_load", "args": [str(file), str(version)]})
        if self._adapts:
            with adapter_folder(model, folder) as written:
                self._adapt(f"{folder.name}-{self._n_adapters}", written, version)
        self._ask("POST", "/reset_prefix_cache")

    def _adapt(self, name: str, written: Path, version: int) -> None:
        """A new name for each, so that a request never gets another than it names."""
        self._ask("POST", _LOAD_ADAPTER, {"lora_name": name, "lora_path": str(written)})
        self._forget_adapter()
        self._adapter, self._n_adapters = name, self._n_adapters + 1
        self._ask("POST", "/collective_rpc", {"method": "azr_stamp", "args": [str(version)]})

    def _forget_adapter(self) -> None:
        if self._adapter is not None:
            self._ask("POST", "/v1/unload_lora_adapter", {"lora_name": self._adapter})
            self._adapter = None

    def sleep(self) -> None:
        """Its memory is not the trainer's."""

    def served(self) -> set[str]:
        """The versions that the workers serve."""
        return set(self._ask("POST", "/collective_rpc", {"method": "azr_serves"})["results"])

    def close(self) -> None:
        """The server goes on, without the adapter."""
        with suppress(UserError):  # it may be what ended the run
            self._forget_adapter()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """A JSON request and its JSON answer; None where the answer is empty or of another kind."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
                text = answer.read() if answer.headers.get_content_type() == "application/json" else b""
        except urllib.error.HTTPError as error:
            reason = " ".join(error.read(500).decode(errors="replace").split())
            raise UserError(
                f"{self.name} refused {path}: {error.code} {reason}{_hint(error.code, path, reason)}"
            ) from None
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
            raise UserError(
                f"{self.name} does not answer ({reason}); start it, then run again, with --resume if the run had begun"
            ) from None
        return json.loads(text) if text else None


def _hint(code: int, path: str, reason: str) -> str:
    """What to do about a server whose engine died, or that lacks what hands weights over."""
    if path == _LOAD_ADAPTER:
        return "; give it a --max-lora-rank that holds the adapter's, or set model.engine_lora=false"
    if "EngineCore" in reason:
        return "; its engine died: start the server again, then continue with --resume"
    if code in (404, 500):
        return (
            "; it must run with VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls "
            "azr_engine.engine.policies.vllm_worker.WeightSync"
        )
    return ""


def _row(choice: dict[str, Any]) -> Row:
    ids = [int(token) for token in choice["token_ids"]]
    return ids, [float(value) for value in choice["logprobs"]["token_logprobs"]]
