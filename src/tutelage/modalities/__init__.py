"""What is read: texts, sentences, images and rows of numbers, each with its readers and networks."""

from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader

READERS: dict[str, type[TextReader] | type[WordReader]] = {r.kind: r for r in (TextReader, WordReader)}
"""By the name under which a saved model knows its reader."""
