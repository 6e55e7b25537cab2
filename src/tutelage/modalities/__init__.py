"""Modalities: texts, sentences of words, images and rows of numbers, each with its readers and networks."""

from tutelage.modalities.base import Reader
from tutelage.modalities.images.reader import ImageReader, PixelReader
from tutelage.modalities.rows.reader import RowReader
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.lexical_reader import JoinedReader, LexicalReader
from tutelage.modalities.text.reader import TextReader

_ALL: tuple[type[Reader], ...] = (
    TextReader, LexicalReader, JoinedReader, WordReader, ImageReader, PixelReader, RowReader,
)  # fmt: skip
READERS: dict[str, type[Reader]] = {r.name: r for r in _ALL}
"""Classes of the readers, by the name that saved models hold."""
