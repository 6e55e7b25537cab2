"""A card lies beside every saved model and says what the summary says."""

from __future__ import annotations

import json

import tutelage


def test_a_run_leaves_a_card_beside_both_models(run, bench):
    code, shown = run(*bench.fit("drift"))
    assert code == 0, shown
    page = (bench.out / "model" / "README.md").read_text()
    for heading in ("What it is", "Labels", "Evidence", "Scores", "Limits", "How to load it"):
        assert f"\n## {heading}\n" in page
    summary = json.loads((bench.out / "summary.json").read_text())
    assert "`food`, `sport`" in page
    assert summary["evidence"]["words"] in page
    low, high = summary["test"]["interval"]
    assert f"{100 * summary['test']['accuracy']:.1f} % ({100 * low:.1f} to {100 * high:.1f})" in page
    assert "16 labelled texts and a pool of 60" in page
    assert page.startswith("---\nlibrary_name: tutelage\n")
    other = bench.out / "reference" / "README.md"
    assert other.exists() == (bench.out / "reference").exists()
    if other.exists():
        assert "this is the model of: labels only" in other.read_text()
    assert tutelage.load(bench.out / "model").classes == ["food", "sport"]


def test_a_model_saved_from_python_has_a_card_too(texts, encoder_folder, tmp_path):
    fitted = tutelage.Classifier("supervised", encoder=encoder_folder, steps=4, evidence=False)
    fitted.fit(list(texts.train.text), list(texts.train.label))
    fitted.save(tmp_path / "saved")
    page = next((tmp_path / "saved").rglob("README.md")).read_text()
    assert "# A classification model of 2 classes" in page
    assert "tutelage.load(" in page
