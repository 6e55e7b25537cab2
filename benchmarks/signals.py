"""Features of sound and of movement, for the protocol `signals`: simple ones, the same for every method.

    python benchmarks/signals.py     writes fsdd.npz and hmp.npz into the folder of features that the protocol reads

Spoken digits (fsdd): the logarithm of 40 mel bands, each clip brought to 16 frames: 640 numbers. Wrist accelerations
(hmp): of each axis mean, spread, five quantiles, mean step and the logarithm of the power in 8 bands: 48 numbers.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy import signal

from tutelage.bench.protocol import data_root
from tutelage.data.sources import cache_folder

RATE, BANDS, FRAMES = 8000, 40, 16


def mel_filters(size: int) -> np.ndarray:
    """Triangles on the mel scale, (BANDS, size // 2 + 1)."""
    mels = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)
    low, mid, high = (700 * (10 ** (mels[i : i + BANDS, None] / 2595) - 1) for i in range(3))
    at = np.linspace(0, RATE / 2, size // 2 + 1)
    return np.minimum((at - low) / (mid - low), (high - at) / (high - mid)).clip(min=0)


def spoken(clip: bytes) -> np.ndarray:
    wave, rate = soundfile.read(io.BytesIO(clip), dtype="float32")
    assert rate == RATE
    size = 256
    _, _, found = signal.stft(np.pad(wave, (0, max(size - len(wave), 0))), RATE, nperseg=size, noverlap=size // 2)
    bands = np.log(mel_filters(size) @ np.abs(found) ** 2 + 1e-8)
    ends = np.linspace(0, bands.shape[1], FRAMES + 1)
    frames = [bands[:, int(a) : max(int(b), int(a) + 1)].mean(1) for a, b in zip(ends, ends[1:], strict=False)]
    return np.stack(frames, axis=1).ravel()


def moved(xyz: np.ndarray) -> np.ndarray:
    axes, parts = xyz.reshape(-1, 3).T.astype(float), []
    for axis in axes:
        _, power = signal.welch(axis - axis.mean(), 32, nperseg=min(64, len(axis)))
        bands = [np.log(b.sum() + 1e-3) for b in np.array_split(power, 8)]
        quantiles = np.quantile(axis, [0.05, 0.25, 0.5, 0.75, 0.95])
        parts += [axis.mean(), axis.std(), *quantiles, np.abs(np.diff(axis)).mean(), *bands]
    return np.array(parts)


FILES = {
    "fsdd": ("fsdd/fsdd_8khz.parquet", "audio_flac", spoken),
    "hmp": ("hmp_accelerometer/hmp_accelerometer.parquet", "xyz", moved),
}
"""File, column and features of each set."""


def features_of(name: str, table: pd.DataFrame) -> np.ndarray:
    """Features of the rows of a set's table, (n, d)."""
    _, column, make = FILES[name]
    return np.stack([make(v) for v in table[column]]).astype(np.float32)


def main() -> None:
    folder = cache_folder() / "signals"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, _, _) in FILES.items():
        table = pd.read_parquet(data_root(Path(__file__)) / file)
        rows = features_of(name, table)
        parts = {}
        for part in ("train", "test"):
            keep = (table.split == part).to_numpy()
            parts |= {f"x_{part}": rows[keep], f"y_{part}": table.label.to_numpy(dtype=np.int64)[keep]}
        np.savez(folder / f"{name}.npz", **parts)
        print(folder / f"{name}.npz", rows.shape)


if __name__ == "__main__":
    main()
