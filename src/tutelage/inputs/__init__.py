"""The user's files, read and checked: what is to be learnt from, and what is scored on."""

from tutelage.inputs.base import Inputs, Say
from tutelage.inputs.sentences import read_sentence_inputs
from tutelage.inputs.texts import read_text_inputs
from tutelage.request import Request

__all__ = ["Inputs", "Say", "read"]


def read(request: Request, say: Say) -> Inputs:
    """Read and check the user's files.

    Raises:
        DataError: something is wrong with them; said with file, row and column.
    """
    reading = read_sentence_inputs if request.task == "tagging" else read_text_inputs
    return reading(request, say)
