"""The feature cache: a frozen encoder's features on disk, by hash of the item; missing ones are computed.

A cache is one file of rows, which is only ever appended to or, at the size limit, written over from its oldest row on,
and an index in SQLite. Each row carries its key and a checksum, so that nothing that is found is wrong, whatever
happened to either file: what is damaged is missing, and missing rows are made again.
"""

from tutelage.modalities.cache.batches import TOKENS_A_BATCH as TOKENS_A_BATCH
from tutelage.modalities.cache.batches import batches_of as batches_of
from tutelage.modalities.cache.batches import padded_to as padded_to
from tutelage.modalities.cache.encoding import CachedEncoding as CachedEncoding
from tutelage.modalities.cache.encoding import Pass as Pass
from tutelage.modalities.cache.on_disk import OnDiskEncoding as OnDiskEncoding
from tutelage.modalities.cache.on_disk import encoding_of as encoding_of
from tutelage.modalities.cache.spread import encoding_by as encoding_by
from tutelage.modalities.cache.store import Caches as Caches
from tutelage.modalities.cache.store import FeatureCache as FeatureCache
