"""Settings that no option reaches, for trials alone: narrow networks, and checkpoints at every step of adapting."""

from __future__ import annotations

from tutelage.adapting import run
from tutelage.modalities.images import reader

reader.SHAPES["small_cnn"] = {"width": 4}
reader.SHAPES["unet"] = {"width": 4, "depth": 2}
run.CHECKPOINT_SECONDS = 0.0
