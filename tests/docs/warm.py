"""`azr-engine` in a process that has imported what commands import: it forks for each call, so that none imports again.

`python -m tests.docs.warm SOCKET` serves; `CLIENT`, put on the path as `azr-engine`, calls. Each call runs the
product's own entry point with the caller's arguments, folder, environment and standard streams.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
import traceback
from pathlib import Path

CLIENT = """\
#!{python} -SE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
call = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}})
socket.send_fds(server, [call.encode()], [0, 1, 2])
sys.exit(server.recv(1)[0])
"""


def serve(address: str) -> None:
    """Answer calls one after the other until the process is ended."""
    import deepspeed
    import sympy
    import torch
    import transformers

    from azr_engine.cli import main
    from azr_engine.engine.config import load_config
    from azr_engine.engine.memory import memory_line
    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.session import set_up
    from azr_engine.evaluation import evaluate
    from azr_engine.plugins.manager import Plugins

    assert deepspeed and sympy and torch and transformers and evaluate
    set_up(load_config(), Plugins())
    memory_line(load_config())
    load_model("azr-tiny", None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            caller, _ = listener.accept()
            call, streams, _, _ = socket.recv_fds(caller, 1 << 20, 3)
            child = os.fork()
            if child == 0:
                listener.close()
                os._exit(_answer(json.loads(call), streams, main))
            for stream in streams:
                os.close(stream)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            caller.sendall(bytes([code if 0 <= code < 256 else 255]))
            caller.close()


def _answer(call: dict[str, object], streams: list[int], main: object) -> int:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    assert isinstance(call["arguments"], list) and isinstance(call["environment"], dict) and callable(main)
    sys.argv = ["azr-engine", *call["arguments"]]
    os.chdir(str(call["folder"]))
    os.environ.clear()
    os.environ.update(call["environment"])
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def write_client(path: Path, address: str) -> None:
    """Write the program that calls the server at `address`."""
    path.write_text(CLIENT.format(python=sys.executable, address=address), encoding="utf-8")
    path.chmod(0o755)


if __name__ == "__main__":
    serve(sys.argv[1])
