"""Files of a small data set as other tools write them: a module for each tool, and what both sides know of the data.

A module has the name of its tool, its version, a function that writes files, and, where the tool reads what `predict`
writes, a function that reads it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MODULES = (
    "label_studio", "doccano", "argilla", "argilla_1", "prodigy", "spacy", "hugging_face", "sheets", "pandas_tables",
    "r_language", "libre_office", "scikit_learn", "torch_vision", "datumaro", "labelme", "by_hand",
)  # fmt: skip
"""Names of the modules, in the order of the table."""


@dataclass(frozen=True)
class Form:
    """A file or folder that a tool wrote.

    Attributes:
        form: name of the form, as the tool has it.
        kind: kind of data that is in it.
        path: path of the file or folder within the tool's folder.
        options: options of the kind of data, and of how files are read, that a user would type.
        items: numbers of the items of the data set that are in it; None where all are.
        output: ending of the file that `predict` writes; empty where it is not tried.
        refused: a word that the refusal must have; empty where the form is to be read.
        question: a word that a question must have, after which nothing is read; empty where there is none.
        labels: names that labels have in the form, by their names in the data set; others keep theirs.
        whole: whether items that are unlabelled in the data set have their labels, too.
    """

    form: str
    kind: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    items: list[int] | None = None
    output: str = ""
    refused: str = ""
    question: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    whole: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The form as JSON has it."""
        return asdict(self)
