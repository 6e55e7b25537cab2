"""Tables to label, small enough to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tutelage.kinds.texts import Texts
from tutelage.label.campaign import Campaign
from tutelage.label.items import Items
from tutelage.label.journal import Journal
from tutelage.tables import USUAL

TEXTS = ["a soup of peas", "the market fell", "a late goal", "soup again", "the bank", "a soup of peas", "the coach"]


@pytest.fixture
def table(tmp_path) -> Path:
    """A table as `tutelage next` writes it, with an item that is there twice."""
    path = tmp_path / "ask.csv"
    pd.DataFrame({
        "row": range(11, 18), "text": TEXTS, "label": "",
        "guess": ["food", "money", "sport", "food", "money", "food", "sport"],
        "why": "unsure", "asked_by": ["margin"] * 5 + ["random"] * 2,
    }).to_csv(path, index=False)  # fmt: skip
    return path


@pytest.fixture
def campaign(table):
    """Makes a campaign of the table, and again of the same journal."""
    journals = []

    def made(**given) -> Campaign:
        for journal in journals:
            journal.close()
        journals.clear()
        items = Items.read(Texts(text="text", label="label"), table, USUAL)
        journals.append(journal := Journal(table.with_name("journal.jsonl")))
        options = {"classes": ["food", "money"]} | given
        return Campaign(items, journal, np.arange(len(items)), items.marks.asked, **options)

    yield made
    for journal in journals:
        journal.close()
