"""What runs inside a vLLM server: it takes new weights in place and says which version it serves.

Named on the server's command line: `--worker-extension-cls azr_engine.engine.policies.vllm_worker.WeightSync`. The
methods are called over HTTP, where arguments and results are texts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class WeightSync:
    """Mixed into vLLM's worker."""

    model_runner: Any
    azr_version: str = "0"

    def azr_load(self, file: str, version: str) -> None:
        """Serve the weights of a safetensors file, under that version."""
        from safetensors.torch import load_file

        weights = load_file(Path(file))
        if "lm_head.weight" not in weights and "model.embed_tokens.weight" in weights:
            # The engine keeps a head of its own even where the model ties it to the embedding.
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        self.model_runner.reload_weights(weights_iterator=iter(weights.items()))
        self.azr_version = version

    def azr_serves(self) -> str:
        """The version that is served; 0 until weights were taken."""
        return self.azr_version
