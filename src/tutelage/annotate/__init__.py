"""Annotation by a language model: an endpoint, a model on this machine or a script says the class of each text.

What it says is a teacher's: columns of probabilities or labels, for `tutelage teacher` and `tutelage fit --teacher`.
"""

from tutelage.annotate.annotator import Annotated, Annotator, Plan, annotate
from tutelage.annotate.chat import ChatError, ChatModel, Reply, Request
from tutelage.annotate.kept import Kept
from tutelage.annotate.prompts import Prompt
from tutelage.annotate.scripted import Scripted

__all__ = [
    "Annotated", "Annotator", "ChatError", "ChatModel", "Kept", "Plan", "Prompt", "Reply", "Request", "Scripted",
    "annotate",
]  # fmt: skip
