"""Settings that no option reaches, for the processes of trials alone."""

from __future__ import annotations


def narrow() -> None:
    """Let networks of images be narrow, and let an adaptation write a checkpoint at every step."""
    from tutelage.adapting import run
    from tutelage.modalities.images import reader

    reader.SHAPES["small_cnn"] = {"width": 4}
    reader.SHAPES["unet"] = {"width": 4, "depth": 2}
    run.CHECKPOINT_SECONDS = 0.0
