"""Containers of other libraries, which Python users have their items in, as those that kinds of data know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy import sparse
from torch.utils.data import Dataset, IterableDataset, TensorDataset

MOST_DENSE = 2**33
"""Bytes, at most, of sparse rows once they are dense."""


def known(X: Any) -> Any:
    """Items, or labels, in a container that kinds of data know: a list, an array, or a container of pandas.

    Args:
        X: a frame or a column of polars, or of another library with ``to_pandas``; a tensor; or anything else, which
            stays as it is.

    >>> known(torch.ones(2)).tolist()
    [1.0, 1.0]
    """
    if isinstance(X, torch.Tensor):
        return X.detach().cpu().numpy()
    if isinstance(X, (pd.DataFrame, pd.Series, Dataset)) or not hasattr(X, "to_pandas"):
        return X
    return X.to_pandas()


def apart(X: Any, y: Any = None) -> tuple[Any, Any]:
    """Items and labels, each in a container that kinds of data know; both may come in one `Dataset` of torch.

    Args:
        X: items, or a `Dataset` of items or of pairs of an item and its label.
        y: labels; None takes those of the pairs.

    Returns:
        The items, and the labels; None where there are none.

    Raises:
        ValueError: a dataset has no items, or the labels of its pairs and ``y`` are both given.

    >>> items, labels = apart(TensorDataset(torch.zeros(3, 2), torch.tensor([0, 1, 1])))
    >>> items.shape, labels.tolist()
    ((3, 2), [0, 1, 1])
    """
    if not isinstance(X, Dataset):
        return known(X), known(y)
    items, labels = _of_dataset(X)
    if labels is not None and y is not None:
        raise ValueError("X is a dataset of pairs, whose second parts are labels, and y is given, too; leave out y")
    return items, known(y) if y is not None else labels


def items_of(X: Any) -> Any:
    """Items alone, of which the labels in a `Dataset` of pairs are left out, as for a prediction."""
    return apart(X)[0]


def streams(X: Any) -> bool:
    """Whether items are given one after the other, and none by its number: by a generator or a streamed data set.

    >>> streams(text for text in ["a"]), streams(["a"]), streams("a")
    (True, False, False)
    """
    return hasattr(X, "__iter__") and not hasattr(X, "__len__")


def dense(X: Any, argument: str = "X") -> Any:
    """Rows of numbers that are not sparse; other values as they are.

    Args:
        X: sparse rows, (n, d), or anything else.
        argument: name of the argument, for the message.

    Raises:
        ValueError: dense rows would take more than `MOST_DENSE` bytes.
    """
    if not sparse.issparse(X):
        return X
    size = 4 * X.shape[0] * X.shape[1]
    if size > MOST_DENSE:
        raise ValueError(
            f"{argument} is sparse, of shape {X.shape}, and would take {size / 2**30:.0f} GB as dense rows; reduce it "
            "first, such as by sklearn.decomposition.TruncatedSVD(300)"
        )
    return X.astype(np.float32).toarray()


def _of_dataset(data: Dataset[Any]) -> tuple[Any, Any]:
    if isinstance(data, TensorDataset):
        first, *rest = (known(tensor) for tensor in data.tensors)
        return first, rest[0] if rest else None
    length = getattr(data, "__len__", None)
    every: Any = data
    several = list(every) if isinstance(data, IterableDataset) or length is None else [data[i] for i in range(length())]
    if not several:
        raise ValueError("X is a dataset without items")
    if not all(isinstance(each, (tuple, list)) and len(each) == 2 for each in several) or _are_words(several[0]):
        return _stacked([_item(each) for each in several]), None
    return _stacked([_item(item) for item, _ in several]), [_label(label) for _, label in several]


def _are_words(item: Any) -> bool:
    return isinstance(item, list) and all(isinstance(word, str) for word in item)


def _item(item: Any) -> Any:
    """An item of a dataset: pictures as arrays of uint8, (h, w, 3), tensors as arrays."""
    if isinstance(item, Image.Image):
        return np.asarray(item.convert("RGB"))
    if not isinstance(item, torch.Tensor):
        return item
    array = item.detach().cpu().numpy()
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[0] in (1, 3):  # torch's order of the axes
        return np.repeat(array, 3 // array.shape[0], axis=0).transpose(1, 2, 0)
    return array


def _label(label: Any) -> Any:
    return label.item() if isinstance(label, (torch.Tensor, np.generic)) and label.ndim == 0 else known(label)


def _stacked(items: Sequence[Any]) -> Any:
    """Arrays of one shape as one array; other items as a list."""
    alike = isinstance(items[0], np.ndarray) and len({np.shape(item) for item in items}) == 1
    return np.stack(items) if alike else list(items)
