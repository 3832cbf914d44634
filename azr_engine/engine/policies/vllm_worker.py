"""What runs inside vLLM's worker: it takes new weights in place and says which version it serves.

Named on a server's command line: `--worker-extension-cls azr_engine.engine.policies.vllm_worker.WeightSync`. The
methods may be called over HTTP, where arguments and results are texts.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
from pathlib import Path
from threading import Thread
from typing import Any


class WeightSync:
    """Mixed into vLLM's worker."""

    model_runner: Any
    azr_version: str = "0"
    azr_watch: Thread | None = None

    def azr_load(self, file: str, version: str) -> None:
        """Serve the weights of a safetensors file, under that version."""
        if self.azr_watch is None and multiprocessing.parent_process() is not None:
            self.azr_watch = Thread(target=_die_with_server, daemon=True)
            self.azr_watch.start()
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


def _die_with_server() -> None:
    """Wait for the end of the server, then end what it started above this worker and the worker: vLLM's would go on."""
    pid, between = os.getppid(), [os.getpid()]
    while Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"VLLM::"):  # its engine, as it calls itself
        between.insert(0, pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    watch = select.poll()
    watch.register(os.pidfd_open(pid), select.POLLIN)
    watch.poll()
    for one in between:
        os.kill(one, signal.SIGKILL)
