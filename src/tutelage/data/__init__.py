"""Data: tables and data sets on disk, examples in memory, and the batches drawn from them."""

from tutelage.data.examples import Examples, Features, Tokens, WordFeatures, WordTokens
from tutelage.data.images import Images, SegmentImages
from tutelage.data.loader import Loader

__all__ = ["Examples", "Features", "Images", "Loader", "SegmentImages", "Tokens", "WordFeatures", "WordTokens"]
