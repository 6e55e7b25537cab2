"""Follow every path of the documentation's map in a fresh clone, typing what the pages say and nothing else.

    python tools/follow.py             clone, set up, type the commands; benchmarks/results/map_paths.json
    python tools/follow.py --here      with the environment of this interpreter in place of a fresh one

A path is a card of docs/index.md, or a section of docs/start/map.md with its commands. Each is followed in a folder of
its own that holds the tables of docs/data, as a reader would have them. The first command that fails ends it all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "map_paths.json"


def typed(text: str) -> list[str]:
    """The commands that a page, or a part of one, tells its reader to type, in their order, each once."""
    fences = re.findall(r"^```(?:console|\{code-cell\})\n(.*?)^```$", text, re.M | re.S)
    lines = [line.removeprefix("!") for fence in fences for line in fence.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("tutelage ")))


def paths(docs: Path) -> dict[str, list[str]]:
    """The commands of every path, by the path's page and name."""
    found = {}
    for card in re.split(r"^:::\{grid-item-card\} ", (docs / "index.md").read_text(encoding="utf-8"), flags=re.M)[1:]:
        title, rest = card.split("\n", 1)
        found[f"index, {title}"] = typed(rest.split(":::")[0])
    for section in re.split(r"^## ", (docs / "start" / "map.md").read_text(encoding="utf-8"), flags=re.M)[1:]:
        title, rest = section.split("\n", 1)
        found[f"map, {title}"] = typed(rest)
    empty = [name for name, commands in found.items() if not commands]
    if empty or not found:
        raise ValueError(f"no command to type on the paths {empty}")
    return found


def follow(commands: list[str], data: Path, bin_folder: Path) -> dict[str, object]:
    """Type the commands of a path in a fresh folder with the tables of `data`; minutes, and those of each command.

    Raises:
        CalledProcessError: a command fails; what it printed stands on standard error.
    """
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    environment = {name: value for name, value in environment.items() if name not in ("PYTHONPATH", "TUTELAGE_DATA")}
    minutes = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in data.iterdir():
            if path.suffix in (".csv", ".json"):
                shutil.copy(path, folder)
        for command in commands:
            start = time.monotonic()
            done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)  # noqa: PLW1510
            if done.returncode:
                print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
                done.check_returncode()
            minutes[command] = round((time.monotonic() - start) / 60, 2)
            print(f"{minutes[command]:6.2f} min  {command}", flush=True)
    return {"minutes": round(sum(minutes.values()), 2), "commands": minutes}


def main(words: list[str]) -> None:
    results: dict[str, object] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        clone, bin_folder = ROOT, Path(sys.executable).parent
        if "--here" not in words:
            clone = Path(folder) / "tutelage"
            start = time.monotonic()
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            subprocess.run(["make", "--silent", "setup"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
            results["set-up, minutes"] = round((time.monotonic() - start) / 60, 2)
            bin_folder = clone / ".venv" / "bin"
        results["paths"] = {
            name: follow(commands, clone / "docs" / "data", bin_folder)
            for name, commands in paths(clone / "docs").items()
        }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
