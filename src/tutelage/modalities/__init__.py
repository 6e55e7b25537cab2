"""Modalities: texts, sentences of words, images and rows of numbers, each with its readers and networks."""

from tutelage.modalities.base import Reader
from tutelage.modalities.images.reader import ImageReader, PixelReader
from tutelage.modalities.rows.reader import RowReader
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader

READERS: dict[str, type[Reader]] = {r.name: r for r in (TextReader, WordReader, ImageReader, PixelReader, RowReader)}
"""Classes of the readers, by the name that saved models hold."""
