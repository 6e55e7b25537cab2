"""Data: tables and data sets on disk, examples in memory, and the batches drawn from them."""

from tutelage.data.examples import Examples, Features, Tokens, WordFeatures, WordTokens
from tutelage.data.loader import Loader
from tutelage.modalities.images.examples import Images, SegmentImages

__all__ = ["Examples", "Features", "Images", "Loader", "SegmentImages", "Tokens", "WordFeatures", "WordTokens"]
