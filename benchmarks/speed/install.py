"""Installing this checkout with its extras, from nothing, by uv and by pip: seconds, CPU seconds, size, build of torch.

    python benchmarks/speed/install.py

writes benchmarks/results/install.json. Each installer works in a fresh environment, first with an empty cache of its
own, then with the cache that this left. "setup" is what `make setup` does: the environment made, uv fetched by pip, and
uv installing. The load is recorded, since seconds depend on what else runs; CPU seconds depend on it less.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "benchmarks" / "results" / "install.json"
sys.path.insert(0, str(ROOT / "tools"))

import dist  # noqa: E402


def installed(by: str, caches: Path, scratch: Path) -> dict[str, Any]:
    """What it took to make an environment and to install into it."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    python = str(folder / "venv" / "bin" / "python")
    environment = dict(os.environ) | {"UV_CACHE_DIR": str(caches / "uv"), "PIP_CACHE_DIR": str(caches / "pip")}
    environment.pop("PYTHONPATH", None)
    start, before = time.perf_counter(), dist.cpu_of_children()
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([python, str(ROOT / "tools" / "install.py"), "--by", by], env=environment, check=True)
    seconds, cpu = time.perf_counter() - start, dist.cpu_of_children() - before
    found = {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "megabytes": dist.megabytes(folder / "venv")}
    return found | {"torch": dist.torch_of(python), "load": os.getloadavg()[0]}


def main() -> None:
    found: dict[str, Any] = {"python": dist.version_of(sys.executable), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as scratch:
        for by in ("uv", "pip"):
            caches = Path(tempfile.mkdtemp(dir=scratch))
            for state in ("cold", "warm"):
                found[f"{by}, {state} cache"] = installed(by, caches, Path(scratch))
                print(by, state, found[f"{by}, {state} cache"], flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
