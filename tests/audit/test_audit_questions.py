"""What an audit asks about labels is settled by its own options."""

from __future__ import annotations

import numpy as np
import pandas as pd


def test_questions_about_labels_name_options_that_settle_them(run, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3 - 1
    table = pd.DataFrame(rng.normal(size=(60, 2)) + y[:, None], columns=["x1", "x2"]).assign(label=y)
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("--train", tmp_path / "t.csv", "--features", "x1,x2", "--label", "label")
    code, shown = run("audit", *words, "--out", tmp_path / "a")
    assert code == 2 and "To settle it: --unlabelled-as=-1; or --classes=-1,0,1." in shown
    code, shown = run("audit", *words, "--classes=-1,0,1", "--out", tmp_path / "a")
    assert code == 0 and "Judging 60 rows of 3 classes" in shown
    code, shown = run("audit", *words, "--unlabelled-as=-1", "--out", tmp_path / "b")
    assert code == 0 and "Judging 40 rows of 2 classes" in shown
    table.assign(label=np.where(y > 0, "1", np.where(y < 0, "True", "False"))).to_csv(tmp_path / "t.csv", index=False)
    code, shown = run("audit", *words, "--out", tmp_path / "c")
    assert code == 0 and "'1' 20 beside 'True' 20, may be one class" in shown
