"""What runs inside vLLM's worker: it takes new weights in place and says which version it serves.

Named on a server's command line: `--worker-extension-cls azr_engine.engine.policies.vllm_worker.WeightSync`. The
methods may be called over HTTP, where arguments and results are texts. A server's worker ends with its server from the
moment it imports this.
"""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from threading import Thread
from typing import Any


class WeightSync:
    """Mixed into vLLM's worker."""

    model_runner: Any
    add_lora: Any
    azr_version: str = "0"
    azr_adapters: int = 0

    def azr_load(self, file: str, version: str) -> None:
        """Serve the weights of a safetensors file, under that version."""
        from safetensors.torch import load_file

        weights = load_file(Path(file))
        if "lm_head.weight" not in weights and "model.embed_tokens.weight" in weights:
            # The engine keeps a head of its own even where the model ties it to the embedding.
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        self.model_runner.reload_weights(weights_iterator=iter(weights.items()))
        self.azr_version = version

    def azr_adapt(self, folder: str, version: str) -> int:
        """Take an adapter from a PEFT folder, under that version; the number that requests name it by."""
        from vllm.lora.request import LoRARequest

        # Under a number of its own, so that nothing computed with the one before is taken for this one's.
        self.azr_adapters += 1
        self.add_lora(LoRARequest(f"azr-{self.azr_adapters}", self.azr_adapters, folder))
        self.azr_version = version
        return self.azr_adapters

    def azr_stamp(self, version: str) -> None:
        """Take what was loaded by other ways for that version."""
        self.azr_version = version

    def azr_serves(self) -> str:
        """The version that is served; 0 until weights were taken."""
        return self.azr_version


def _die_with_server() -> None:
    """Wait for the end of the server, then end what it started above this worker and the worker: vLLM's would go on."""
    pid, between = os.getppid(), [os.getpid()]
    while _of_server(pid):
        between.insert(0, pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    watch = select.poll()
    watch.register(os.pidfd_open(pid), select.POLLIN)
    watch.poll()
    for one in between:
        os.kill(one, signal.SIGKILL)


def _of_server(pid: int | str) -> bool:
    """Whether a process is an engine or a worker that a server started, as these call themselves."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"VLLM::")


if _of_server("self") or _of_server(os.getppid()):  # a worker gets its name only after this import
    Thread(target=_die_with_server, daemon=True).start()
