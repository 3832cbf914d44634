"""A vLLM server over its OpenAI-compatible HTTP interface.

Not covered: servers of another vendor, which cannot take weights.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.vllm_protocol import Request, Row

_PARALLEL = 64
"""Requests under way at once; the server forms its own batches of them."""

_PATIENCE_SECONDS = 3600.0


class ServerEngine:
    """A `vllm.Engine` in another process, perhaps on another machine.

    Args:
        url: of the server, such as `http://127.0.0.1:8000`.

    Raises:
        UserError: no such server answers.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.name = f"the server {self._url}"
        self.mend = "start it with the same model and --logprobs-mode processed_logprobs"
        self._model = str(self._ask("GET", "/v1/models")["data"][0]["id"])

    def sample(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], request: Request) -> list[list[Row]]:
        """One HTTP request a prompt, many at a time."""

        def ask(number: int) -> list[Row]:
            body = {
                "model": self._model,
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

    def load(self, file: Path, version: int) -> None:
        """Have every worker read the file in place, and forget what was computed with other weights."""
        self._ask("POST", "/collective_rpc", {"method": "azr_load", "args": [str(file), str(version)]})
        self._ask("POST", "/reset_prefix_cache")

    def served(self) -> set[str]:
        """The versions that the workers serve."""
        return set(self._ask("POST", "/collective_rpc", {"method": "azr_serves"})["results"])

    def close(self) -> None:
        """The server goes on."""

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
            raise UserError(f"{self.name} refused {path}: {error.code} {reason}{_hint(error)}") from None
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
            raise UserError(
                f"{self.name} does not answer ({reason}); start it, then run again, with --resume if the run had begun"
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


def _row(choice: dict[str, Any]) -> Row:
    ids = [int(token) for token in choice["token_ids"]]
    return ids, [float(value) for value in choice["logprobs"]["token_logprobs"]]
