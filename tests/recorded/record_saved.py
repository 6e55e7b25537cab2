"""Saves models and runs as the library at commit a13364e does, and records what it says with them once loaded.

Recorded at commit a13364e; a number here changes only with the version of what makes it.

    OMP_NUM_THREADS=1 PYTHONPATH=CHECKOUT/src:tests python -m recorded.record_saved
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recorded import estimators_recipe as recipe
from recorded import run_inputs, saved_models, worlds
from recorded.comparing import record
from recorded.record_runs import done

SAVED_RUNS = ("texts", "sentences")
NOT_KEPT = ("plots", "report.html", "parts")


QUICK: dict[str, Any] = {"steps": 12, "evidence": False, "device": "cpu"}
FEW = QUICK | {"steps": 3}
WEIGHED: dict[str, Any] = {"steps": 4, "folds": 2, "repeats": 1, "device": "cpu"}
ENCODER: dict[str, Any] = {"encoder": "encoder"}
SMALL: dict[str, Any] = {"size": (32, 32)}


def images() -> recipe.Given:
    drawn = worlds.squares(24, 0)
    return recipe.Given({"X": drawn.pixels, "y": np.where(np.arange(24) < 12, drawn.y, -1)}, None, None)


CASES: dict[str, tuple[str, Callable[[], recipe.Given], dict[str, Any]]] = {
    "rows_head": ("Classifier", recipe.rows, QUICK),
    "rows_linear": ("Classifier", recipe.rows, WEIGHED),  # logistic regression is the better one
    "texts_frozen": ("Classifier", recipe.texts, QUICK | ENCODER),
    "texts_whole": ("Classifier", recipe.texts, FEW | ENCODER | {"finetune": True}),
    "words_frozen": ("Tagger", recipe.sentences, QUICK | ENCODER),
    "words_whole": ("Tagger", recipe.sentences, FEW | ENCODER | {"finetune": True, "max_length": 32}),
    "words_whole_linear": ("Tagger", recipe.sentences, WEIGHED | ENCODER | {"finetune": True}),  # in the middle layer
    "image_frozen": ("Classifier", images, QUICK | SMALL),
    "image_whole": ("Classifier", images, QUICK | SMALL | {"steps": 1, "flip": False, "finetune": True}),
    "small_cnn": ("Classifier", images, FEW | {"network": "small_cnn"}),
    "wide_resnet": ("Classifier", images, FEW | {"network": "wide_resnet"}),
    "unet": ("Segmenter", recipe.scenes, FEW | {"flip": False}),
}


def fitted(name: str) -> Any:
    """An estimator to be saved under a name; the encoder is a folder of the current one."""
    import tutelage

    kind, given, options = CASES[name]
    return getattr(tutelage, kind)("drift", **options).fit(**given().fit)


def found(name: str) -> dict[str, Any]:
    """What the library says of a model's items, with the weights that `saved_models.fill` makes."""
    from tutelage import load

    with tempfile.TemporaryDirectory() as place, worlds.empty_cache(), contextlib.chdir(place):
        worlds.write_encoder(Path("encoder"))
        folder = Path(shutil.copytree(saved_models.MODELS / name, "model"))
        content = saved_models.fill(folder).read_bytes()
        model = load(folder)
        p = model.probabilities(saved_models.items(name))
    return {
        "classes": model.classes,
        "probabilities": [[round(float(v), 10) for v in row] for row in p[:30]],
        "sums": p.sum(0).round(8),
        "content of model.safetensors": hashlib.sha256(content).hexdigest(),
    }


def save(name: str) -> None:
    """Fit a model and keep its folder, its tensors described."""
    from safetensors.torch import load_file

    kept = saved_models.MODELS / name
    shutil.rmtree(kept, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place, worlds.empty_cache(), contextlib.chdir(place):
        worlds.write_encoder(Path("encoder"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted(name).save("model")
        tensors = load_file("model/model.safetensors")
        shutil.copytree("model", kept, ignore=shutil.ignore_patterns("model.safetensors"))
    told = [saved_models.describe(n, t, seed) for seed, (n, t) in enumerate(sorted(tensors.items()))]
    lines = ",\n".join(json.dumps(one) for one in told)
    (kept / "tensors.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def save_run(name: str) -> None:
    """Do a run and keep its folder."""
    kept = saved_models.RUNS / name
    shutil.rmtree(kept, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place, worlds.empty_cache(), contextlib.chdir(place):
        run_inputs.write(Path(place))
        done(*run_inputs.RUNS[name].fit)
        shutil.copytree("out", kept, ignore=shutil.ignore_patterns(*NOT_KEPT))
    summary = json.loads((kept / "summary.json").read_text(encoding="utf-8"))
    summary |= {"seconds": 1.0, "peak_memory_mb": 500}  # alike each time
    summary.pop("cost", None)
    (kept / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Rewrite the folder v0.1.

    Recorded at commit a13364e; a number here changes only with the version of what makes it.
    """
    for name in saved_models.NAMES:
        save(name)
    record(saved_models.EXPECTED, saved_models.NAMES, found)
    for name in SAVED_RUNS:
        save_run(name)


if __name__ == "__main__":
    main()
