"""Fits the estimators of the library at commit a13364e, and records what they say.

Recorded at commit a13364e; a number here changes only with the version of what makes it.

    OMP_NUM_THREADS=1 PYTHONPATH=CHECKOUT/src:tests python -m recorded.record_estimators
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recorded import estimators_recipe as recipe
from recorded import worlds
from recorded.comparing import record, sums

FILE = "estimators.json"


def found(name: str, encoder: Path | None = None) -> dict[str, Any]:
    """What a case of the recipe gives; ``encoder`` is a folder that `worlds.write_encoder` wrote."""
    case, given = recipe.CASES[name], recipe.CASES[name].given()
    with worlds.empty_cache(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if case.estimator == "find_label_errors":
            return _of_audit(given)
        if case.estimator == "SelfDistiller":
            return _of_distiller(case, given)
        return _of_estimator(case, given, encoder)


def _of_estimator(case: recipe.Case, given: recipe.Given, encoder: Path | None) -> dict[str, Any]:
    import tutelage
    from tutelage import Auto
    from tutelage.methods import METHODS

    method = {**METHODS, "auto": Auto}[case.method](**case.fields) if case.fields else case.method
    options = {k: str(encoder) if v == recipe.ENCODER else v for k, v in case.options.items()}
    if case.network is not None:
        options["network"] = case.network()
    model = getattr(tutelage, case.estimator)(method, **options).fit(**given.fit)
    p = model.predict_proba(given.new)
    flat = np.concatenate(p) if isinstance(p, list) else p.reshape(-1, p.shape[-1])
    told: dict[str, Any] = {
        "classes": model.classes_,
        "probabilities": {"sums": [sums(column) for column in flat.T], "digest": _digest(flat)},
        "labels": _short(flat.argmax(1)),
        "score": model.score(given.new, given.truth),
        "evidence": model.evidence_ and model.evidence_.as_dict(),
        "returned": model.returned_,
        "method": model.method_.name,
        "tried": [a.as_dict() for a in model.tried_],
        "history": model.history_,
    }
    if hasattr(model, "transduction_"):
        told["transduction"] = model.transduction_
    if hasattr(model, "votes_"):
        told["votes"] = {k: v for k, v in model.votes_.items() if k not in ("rows", "covered", "clean_labels")}
    return told


def _of_distiller(case: recipe.Case, given: recipe.Given) -> dict[str, Any]:
    from tutelage import SelfDistiller

    model = SelfDistiller(case.method, **case.options).fit(**given.fit)
    p = model.predict_proba(given.new)
    return {
        "classes": model.classes_,
        "probabilities": {"sums": [sums(column) for column in p.T], "digest": _digest(p)},
        "labels": _short(p.argmax(1)),
        "score": model.score(given.new, given.truth),
        "chosen": asdict(model.chosen_),
        "rounds": model.rounds_,
        "refined": sums(model.labels_),
        "weights": [sums(model.coef_), sums(model.intercept_)],
    }


def _of_audit(given: recipe.Given) -> dict[str, Any]:
    from tutelage import find_label_errors

    audit = find_label_errors(**given.fit)
    return {
        "order": audit.order[:40],
        "suggested": _short(audit.suggested),
        "probability": sums(audit.probability),
        "posterior": sums(audit.posterior),
        "noise_rate": audit.noise_rate,
        "transition": sums(audit.transition),
        "weights": audit.weights,
        "setting": asdict(audit.setting),
    }


def _digest(values: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=8).hexdigest()


def _short(labels: np.ndarray) -> Any:
    """Class numbers in a row of digits; of pixels, which are many, how many are of each class."""
    return "".join(map(str, labels)) if len(labels) < 500 else np.bincount(labels)


def main() -> None:
    """Rewrite estimators.json.

    Recorded at commit a13364e; a number here changes only with the version of what makes it.
    """
    with tempfile.TemporaryDirectory() as folder:
        encoder = worlds.write_encoder(Path(folder) / "encoder")
        record(FILE, recipe.CASES, lambda name: found(name, encoder))


if __name__ == "__main__":
    main()
