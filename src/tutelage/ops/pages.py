"""Names of the pages, docs/warnings/NAME.md, that explain warnings and questions: why they come, and what to do."""

from __future__ import annotations

from typing import Literal

Page = Literal[
    "abstain", "charset", "classes-without-labels", "collapse", "copies", "damaged", "decimals", "feature-cache",
    "file-parts", "folders", "hardly-classes", "header", "index-order", "label-in-features", "label-or-none",
    "left-out", "left-teacher", "long-texts", "mask-colours", "mask-objects", "mask-values", "memory",
    "no-anticipation", "not-compiled", "nothing-to-read", "odd-images", "odd-numbers", "odd-texts", "open-words",
    "own-code", "quotes", "solver", "span-offsets", "spellings", "split-already", "stopped", "tag-columns",
    "tag-notation", "tag-numbers", "teacher-names", "teacher-says-little", "teacher-too-good", "tied-classes",
    "totals", "turned-masks", "unknown-words", "unreached-rows", "votes", "word-rows",
]  # fmt: skip
"""Name of a page; tests hold that each is a file of docs/warnings, and that some message names it."""


def on_page(words: str, page: Page) -> str:
    """A message with the name of the page that explains it.

    >>> on_page("3 texts of test.csv are also in the training data.", "copies")
    '3 texts of test.csv are also in the training data. (docs: warnings/copies)'
    """
    return f"{words} (docs: warnings/{page})"
