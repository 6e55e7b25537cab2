"""Work that one run of ``tutelage fit drift`` on 700 texts does more than once.

    python twice.py SOURCE RESULT

runs it in this process and writes counts as JSON. Hashes are counted where they are computed, in ``hashlib``, and
predictions where a network is called: neither depends on what the library's functions are called.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from materials import texts, write_texts
from walks import TEXT_COLUMNS, by_command

LABELLED, TRAIN, TEST = 40, 600, 100
"""Texts with a label, texts in the training table, texts to score on."""

WHOLE_NETWORK = 10_000_000
"""A hash of more bytes than this is of an encoder's weights (90 million bytes), not of a table or a text."""

CACHES = ("FeatureCache", "RowCache", "Cache")
"""Names that the class of the feature cache may have."""

ALGORITHMS = ("blake2b", "blake2s", "md5", "sha1", "sha256", "sha512")
PLAIN = {name: getattr(hashlib, name) for name in ALGORITHMS}

Counts = dict[str, int]


class Counted:
    """A hash that adds itself to the counts when it is read, if it is of a known text or of a whole network."""

    def __init__(self, name: str, known: set[bytes], counts: Counts, data: Any = b"", **options: Any) -> None:
        self.inner = PLAIN[name](**options)
        self.known, self.counts, self.size, self.start = known, counts, 0, b""
        self.update(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def update(self, data: Any) -> None:
        self.inner.update(data)
        self.size += memoryview(data).nbytes
        if self.size < 1000:
            self.start += bytes(data)

    def digest(self) -> bytes:
        self._count()
        return bytes(self.inner.digest())

    def hexdigest(self) -> str:
        self._count()
        return str(self.inner.hexdigest())

    def _count(self) -> None:
        self.counts["text_hashes"] += self.start in self.known
        self.counts["weight_hashes"] += self.size > WHOLE_NETWORK


def count_hashes(known: set[bytes], counts: Counts) -> None:
    """Make ``hashlib`` count; to be called before the library is imported."""

    def counting(name: str) -> Callable[..., Counted]:
        return lambda data=b"", **options: Counted(name, known, counts, data, **options)

    for name in ALGORITHMS:
        setattr(hashlib, name, counting(name))


def count_openings(counts: Counts) -> None:
    """Count how often the feature cache is opened."""
    from moved import anywhere

    kind = anywhere(*CACHES)
    plain = kind.__init__

    def opening(self: Any, *args: Any, **kwargs: Any) -> None:
        counts["cache_openings"] += 1
        plain(self, *args, **kwargs)

    kind.__init__ = opening


def note_predictions(said: list[str]) -> None:
    """Note the weights of each network that is shown as many rows as there are test texts, outside of training."""
    from torch import Tensor, nn

    plain, depth = nn.Module.__call__, [0]

    def call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        rows = len(args[0]) if args and isinstance(args[0], Tensor) and args[0].ndim else 0
        if rows == TEST and not depth[0] and not self.training:
            said.append(fingerprint(self.state_dict()))
        depth[0] += 1
        try:
            return plain(self, *args, **kwargs)
        finally:
            depth[0] -= 1

    nn.Module.__call__ = call  # type: ignore[method-assign]


def fingerprint(state: dict[str, Any]) -> str:
    """A hash of weights, in single precision."""
    whole = PLAIN["sha256"]()
    for name in sorted(state):
        whole.update(name.encode() + state[name].detach().cpu().float().contiguous().numpy().tobytes())
    return str(whole.hexdigest())


def run(source: Path, folder: Path) -> dict[str, Any]:
    """The counts of one run."""
    train, test = texts(TRAIN, 3), texts(TEST, 4)
    counts: Counts = dict.fromkeys(("cache_openings", "text_hashes", "weight_hashes"), 0)
    count_hashes({text.encode() for text, _ in train + test}, counts)
    from moved import require

    require(source)
    count_openings(counts)
    said: list[str] = []
    note_predictions(said)
    paths = write_texts(folder / "train.csv", train, LABELLED), write_texts(folder / "test.csv", test, TEST)
    how = ("--test", paths[1], "--steps", 90, "--out", folder / "out")
    by_command("fit", "drift", "--train", paths[0], *TEXT_COLUMNS, *how)()
    from safetensors.torch import load_file

    returned = fingerprint(load_file(folder / "out" / "model" / "model.safetensors"))
    return counts | {
        "texts": TRAIN + TEST,
        "text_hashes_each": round(counts["text_hashes"] / (TRAIN + TEST), 2),
        "test_predictions": len(said),
        "test_predictions_by_the_returned_model": said.count(returned),
    }


def main() -> None:
    source, result = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        found = run(source, Path(scratch))
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
