"""The user's files, read and checked: what is to be learnt from, and what is scored on."""

from collections.abc import Callable

from tutelage.kinds.base import Inputs, Say
from tutelage.kinds.images import ImageInputs, read_image_inputs
from tutelage.kinds.masks import MaskInputs, read_mask_inputs
from tutelage.kinds.sentences import read_sentence_inputs
from tutelage.kinds.texts import read_text_inputs
from tutelage.run.options import Request

__all__ = ["ImageInputs", "Inputs", "MaskInputs", "Say", "read"]

READING: dict[str, Callable[[Request, Say], Inputs]] = {
    "classification": read_text_inputs,
    "tagging": read_sentence_inputs,
    "image": read_image_inputs,
    "segmentation": read_mask_inputs,
}
"""By task."""


def read(request: Request, say: Say) -> Inputs:
    """Read and check the user's files.

    Raises:
        DataError: something is wrong with them; said with file, row and column.
    """
    return READING[request.task](request, say)
