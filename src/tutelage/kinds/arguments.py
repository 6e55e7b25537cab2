"""What users hand to the estimators, told apart and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from tutelage.fit.auto import Auto
from tutelage.methods import METHODS, Method
from tutelage.modalities.images.examples import check_images, require_pixels
from tutelage.modalities.images.tables import ENDINGS
from tutelage.ops.checks import one_of
from tutelage.weak import RawVotes

Kind = Literal["text", "image", "array"]


def kind_of(X: Any) -> Kind:
    """What X holds, by its first element or its shape.

    Strings are texts; bytes, paths, and arrays of uint8 of shape (n, h, w, 3) or (n, h, w) are images.

    >>> kind_of(["a text"]), kind_of([Path("cat.jpg")]), kind_of(np.zeros((5, 8, 8, 3), np.uint8)), kind_of([[1.0]])
    ('text', 'image', 'image', 'array')
    """
    if isinstance(X, torch.Tensor):
        return "array"
    if isinstance(X, np.ndarray) and X.dtype == np.uint8 and (X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 3)):
        return "image"
    if isinstance(X, pd.DataFrame):
        X = X.iloc[:, 0] if X.shape[1] == 1 else []
    first = next(iter(np.asarray(X, dtype=object).ravel()[:1]), None)
    if isinstance(first, str):
        return "text"
    return "image" if isinstance(first, (bytes, Path)) else "array"


def as_pictures(X: Any) -> tuple[Sequence[Any] | np.ndarray, np.ndarray]:
    """Images as an array or a list, and their heights and widths, (n, 2).

    Raises:
        ValueError: an element that is no image; or an image that cannot be read (a DataError, which says which).
    """
    if isinstance(X, np.ndarray) and X.dtype.kind in "fiu" and X.ndim in (3, 4):
        require_pixels(X)
        return X, np.tile(X.shape[1:3], (len(X), 1))
    pictures = X.iloc[:, 0].tolist() if isinstance(X, pd.DataFrame) else list(X)
    for i, picture in enumerate(pictures):
        if not isinstance(picture, (bytes, Path)):
            raise ValueError(f"X[{i}] must be the bytes of an encoded image or a Path, got {type(picture).__name__}")
    return pictures, check_images(pictures, file="X").sizes if pictures else np.empty((0, 2), dtype=np.int64)


def as_votes(votes: Any, rows: int) -> RawVotes:
    """Votes as a table of labels, None where a rule abstains; ValueError where they do not fit."""
    table = np.asarray(votes, dtype=object)
    if table.ndim != 2 or len(table) != rows or not table.size:
        raise ValueError(f"votes must be of shape ({rows}, rules), got {table.shape}")
    columns = votes.columns if isinstance(votes, pd.DataFrame) else range(table.shape[1])
    raw = RawVotes.of("votes", [str(c) for c in columns], table.tolist())
    for vote in pd.unique(table.ravel()):
        if isinstance(vote, float) and not vote.is_integer() and not np.isnan(vote):
            i, j = np.argwhere(table == vote)[0]
            raise ValueError(f"votes[{i}, {j}] must be a label or -1, got {vote}")
    return raw


def as_method(method: str | Method) -> Method:
    """A method by name with its defaults, or the method itself."""
    if isinstance(method, Method):
        return method
    one_of("method", method, (*METHODS, Auto.name))
    return Auto() if method == Auto.name else METHODS[method]()


def as_texts(X: Any) -> list[str]:
    """Texts as a list; ValueError names the first row that is not a string."""
    if isinstance(X, pd.DataFrame):
        if X.shape[1] != 1:
            raise ValueError(f"X must be one column of texts, got {X.shape[1]} columns")
        X = X.iloc[:, 0]
    if isinstance(X, str):
        raise ValueError("X must be a list of texts, got one string")
    texts = list(np.asarray(X, dtype=object).ravel())
    if texts and isinstance(texts[0], str) and texts[0].lower().endswith(ENDINGS) and Path(texts[0]).is_file():
        raise ValueError(f"X[0] is the name of an image file, {texts[0]!r}; give paths as pathlib.Path")
    for i, t in enumerate(texts):
        if not isinstance(t, str):
            raise ValueError(f"X[{i}] must be a string, got {t!r}")
    return texts


def labels_of(y: Any) -> list[Any]:
    """Labels as a list, None where unknown: -1, "-1", None or NaN.

    >>> labels_of(["spam", -1, None, "ham"])
    ['spam', None, None, 'ham']
    """
    if y is None:
        raise ValueError("this Classifier requires y to be passed, but the target y is None")
    if not isinstance(y, (list, tuple)):
        y = column_or_1d(y, warn=True)
        if y.dtype.kind == "f":
            assert_all_finite(y, allow_nan=True, input_name="y")
    return [None if unknown(v) else v for v in y]


def unknown(value: Any) -> bool:
    """Whether a label says that there is none: -1, "-1", None or NaN."""
    if value is None or value is pd.NA:
        return True
    if isinstance(value, str):
        return value == "-1"
    return bool(value == -1) or bool(pd.isna(value))


def where(X: Any, keep: np.ndarray) -> Any:
    """The items of a list or an array that the mask ``keep`` selects."""
    return X[keep] if isinstance(X, np.ndarray) else [X[i] for i in np.flatnonzero(keep)]


def joined(X: Any, more: Any) -> Any:
    """Two lists, or two arrays of one size; ValueError where they are not."""
    if isinstance(X, np.ndarray) != isinstance(more, np.ndarray):
        raise ValueError(f"X_unlabelled must be like X, a {type(X).__name__}, got a {type(more).__name__}")
    if isinstance(X, list):
        return [*X, *more]
    if X.shape[1:] != more.shape[1:]:
        raise ValueError(f"X_unlabelled must be like X, an array (n, {str(X.shape[1:])[1:]}, got {more.shape}")
    return np.concatenate([X, more])
