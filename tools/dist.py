"""Build the wheel and the sdist, look what is in them, and try each in a fresh environment of every Python there is.

    python tools/dist.py                 builds both into dist/ and says what is wrong with their contents
    python tools/dist.py --try           and installs each, as `pip install tutelage` will, and tries it
    python tools/dist.py --try --record FILE

A trial lists methods, fits a small table of rows and writes its report, labels it, loads the saved model, and fits
texts with the packaged encoder. Tried are the newest interpreter of each version from 3.11 on that pyenv has or that
is on the path. uv installs; pip, too, the wheel for the interpreter that runs this.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import install

HERE = Path(__file__).resolve().parents[1]
PACKAGE = HERE / "src" / "tutelage"
OLDEST = (3, 11)

TRIAL = """
import csv, random, subprocess, sys
from pathlib import Path
bin = Path(sys.executable).parent
def tutelage(*words):
    subprocess.run([bin / "tutelage", *words], check=True)
tutelage("--help")
tutelage("methods")
random.seed(0)
with open("rows.csv", "w", newline="") as f:
    rows = csv.writer(f)
    rows.writerow(["f0", "f1", "label"])
    for i in range(60):
        rows.writerow([random.gauss(2 * (i % 2), 1), random.gauss(0, 1), ["", "ab"[i % 2]][i < 20]])
of_rows = ["--kind", "rows", "--train", "rows.csv", "--features", "f", "--label", "label"]
tutelage("fit", "drift", *of_rows, "--out", "run", "--steps", "20", "--folds", "2")
assert Path("run/report.html").exists()
tutelage("predict", "run", "--input", "rows.csv", "--output", "out.csv")
from tutelage import Classifier, load
import numpy as np
model = load("run/model")
assert model.classes == ["a", "b"]
assert model.probabilities(np.array([[9.0, 0.0], [-9.0, 0.0]])).argmax(1).tolist() == [1, 0]
texts = ["the soup was good", "a late goal", "bread and cheese", "the match was lost"] * 3
labels = ["food", "sport", "food", "sport", "food", "sport", "food", "sport", None, None, None, None]
found = Classifier("drift", steps=20, folds=2).fit(texts, labels).predict(["cheese soup", "they won the match"])
assert found.tolist() == ["food", "sport"], found
"""
"""What is tried in an environment, in an empty folder."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the wheel and the sdist, and try them.")
    parser.add_argument("--try", dest="tries", action="store_true", help="install each and try it")
    parser.add_argument("--record", type=Path, help="file to write what was found to")
    given = parser.parse_args()
    folder = HERE / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(HERE)], check=True, capture_output=True)
    wrong = faults(folder)
    print(*(f"{path.name}: {path.stat().st_size // 1024} kB" for path in sorted(folder.iterdir())), *wrong, sep="\n")
    found: list[dict[str, Any]] = []
    if given.tries:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["UV_CACHE_DIR"] = str(
                Path(scratch) / "cache"
            )  # beside the environments, so that files are shared
            for python in pythons():
                for artefact in sorted(folder.iterdir()):
                    found.append(tried(python, artefact, "uv", Path(scratch)))
            found.append(tried(sys.executable, next(folder.glob("*.whl")), "pip", Path(scratch)))
    if given.record:
        kilobytes = {path.suffix: path.stat().st_size // 1024 for path in sorted(folder.iterdir())}
        given.record.write_text(json.dumps({"faults": wrong, "kilobytes": kilobytes, "trials": found}, indent=1) + "\n")
    sys.exit(bool(wrong) or any(trial["fault"] for trial in found))


def faults(folder: Path) -> list[str]:
    """What is missing in the wheel and the sdist of a folder, or there and should not be, a line each."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    own = {f"tutelage/{p.relative_to(PACKAGE).as_posix()}" for p in PACKAGE.rglob("*") if _kept(p)}
    needed = own | {"METADATA", "entry_points.txt", "licenses/LICENSE", "WHEEL", "top_level.txt", "RECORD"}
    with zipfile.ZipFile(wheel) as z:
        held = {re.sub(r"^tutelage-[^/]*\.dist-info/", "", name) for name in z.namelist()}
    said = _compared(wheel.name, needed, held)
    needed = {f"src/{name}" for name in own} | {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
    }
    with tarfile.open(sdist) as t:
        held = {m.name.split("/", 1)[1] for m in t.getmembers() if m.isfile()}
    made = {name for name in held if ".egg-info/" in name}
    return said + _compared(
        sdist.name, needed, held - made - {"PKG-INFO", "setup.cfg", "MANIFEST.in", "CONTRIBUTING.md"}
    )


def _kept(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _compared(name: str, needed: set[str], held: set[str]) -> list[str]:
    lacking = [f"{name} lacks {file}" for file in sorted(needed - held)]
    return lacking + [f"{name} holds {file}, which it should not" for file in sorted(held - needed)]


def pythons() -> list[str]:
    """The newest interpreter of each version from OLDEST on, that pyenv has or that is on the path."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    there = [
        *root.glob("versions/*/bin/python"),
        *(Path(w) for n in range(11, 20) if (w := shutil.which(f"python3.{n}"))),
    ]
    newest: dict[tuple[int, int], tuple[tuple[int, ...], str]] = {}
    for python in there:
        say = "import sys, venv; print(*sys.version_info[:3])"
        done = subprocess.run([str(python), "-c", say], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            version = tuple(map(int, done.stdout.split()))
            if version[:2] >= OLDEST:
                newest[version[:2]] = max(newest.get(version[:2], ((), "")), (version, str(python)))
    return [python for _, (_, python) in sorted(newest.items())]


def tried(python: str, artefact: Path, by: str, scratch: Path) -> dict[str, Any]:
    """What came of installing an artefact into a fresh environment, without constraints, and of trying it."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    inside, work = str(folder / "venv" / "bin" / "python"), folder / "work"
    work.mkdir()
    start, before = time.perf_counter(), cpu_of_children()
    if by == "uv":
        uv = install.found_uv() or install.fetched_uv()
        good = uv is not None and install.with_uv(uv, [str(artefact)], inside)
    else:
        good = subprocess.run([inside, "-m", "pip", "install", "--quiet", str(artefact)], check=False).returncode == 0
    kind = "wheel" if artefact.suffix == ".whl" else "sdist"
    result: dict[str, Any] = {"python": version_of(inside), "artefact": kind, "by": by}
    result |= {"seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(cpu_of_children() - before, 1)}
    result |= {"megabytes": megabytes(folder / "venv"), "fault": None if good else "not installed"}
    if good:
        result |= {"torch": torch_of(inside)}
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "UV_CACHE_DIR")}
        environment |= {"TUTELAGE_CACHE": str(folder / "cache")}
        done = subprocess.run(
            [inside, "-c", TRIAL], cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        result["fault"] = None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["?"])[-1]
    shutil.rmtree(folder)
    print(result, flush=True)
    return result


def cpu_of_children() -> float:
    """User and system seconds of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def version_of(python: str) -> str:
    say = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", say], capture_output=True, text=True, check=True).stdout.strip()


def torch_of(python: str) -> dict[str, str | None]:
    """The build of torch in an environment, and the version of CUDA that it is for."""
    say = "import json, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.version.cuda}))"
    return json.loads(subprocess.run([python, "-c", say], capture_output=True, text=True, check=True).stdout)


def megabytes(folder: Path) -> int:
    """Size of all files below a folder, those that are shared with a cache too."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) // 2**20


if __name__ == "__main__":
    main()
