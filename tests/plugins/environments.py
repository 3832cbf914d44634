"""Fresh virtual environments that see what this one has, so that installing a plugin downloads nothing."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from pathlib import Path


class Environment:
    """A virtual environment in a new folder, with the packages of ours installed into it that are given."""

    def __init__(self, folder: Path, *packages: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        (site_packages,) = folder.glob("lib/python*/site-packages")
        lines = [f"import site; site.addsitedir({path!r})\n" for path in site.getsitepackages()]
        (site_packages / "outer.pth").write_text("".join(lines))
        if not packages:
            return
        install = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", "--no-index"]
        done = self._run([*install, "--no-deps", "--no-build-isolation", *map(str, packages)], folder)
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS` in this environment."""
        return self._run([str(self.python), *arguments], cwd)

    def azr_engine(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """`azr-engine ARGUMENTS` in this environment."""
        return self.run("-c", "from azr_engine.cli import main; main()", *arguments, cwd=cwd)

    def _run(self, command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
