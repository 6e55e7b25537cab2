"""Strong views of texts, in which words of little information are replaced."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tutelage.ops.checks import in_range


class TfidfReplacement:
    """Replacement of words by others, so that keywords stay and none is added; for ``Classifier(augment=...)``.

    A text has n words w_i, with t(w) = (count of w in the text / n) idf(w) and idf(w) = log(N / texts with w) over N
    texts. A word is replaced with probability ``min(share (C - t(w_i)) / Z, 1)``, where C = max_i t(w_i) and
    Z = mean_i (C - t(w_i)); where all t(w_i) are equal none is. The new word is w with probability in proportion to
    ``max_v s(v) - s(w)``, s(w) = (occurrences of w in all texts) idf(w). Words are separated by white space; the idf of
    a word that no text has is log N.

    A text's copy depends on the text and the seed alone, so it can be cached.

    Args:
        texts: texts of the pool, with at least one word in all.
        share: expected share of the words that is replaced, in [0, 1], unless a probability is cut at 1; 0.7 in the
            paper.
        seed: seed of the draws, at least 0.

    Source: Xie et al., UDA, NeurIPS 2020, TF-IDF-based word replacement.

    >>> replace = TfidfReplacement(["the soup was good", "the goal was late", "the soup was late"], share=0.5)
    >>> replace.chances("the goal was late").round(2).tolist()
    [0.76, 0.0, 0.76, 0.48]
    """

    def __init__(self, texts: Sequence[str], share: float = 0.2, seed: int = 0) -> None:
        in_range("share", share, 0, 1)
        in_range("seed", seed, 0)
        self.share, self.seed, self.size = share, seed, len(texts)
        count = Counter(w for text in texts for w in text.split())
        if not count:
            raise ValueError("texts must hold at least one word")
        spread = Counter(w for text in texts for w in set(text.split()))
        self.idf = {w: math.log(self.size / n) for w, n in spread.items()}
        self.words = sorted(count)
        s = np.array([count[w] * self.idf[w] for w in self.words])
        room = s.max() - s
        odds = np.cumsum(room if room.any() else np.ones(len(s)))
        self._below = odds / odds[-1]

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """One disturbed copy of each text."""
        return [self._replaced(text) for text in texts]

    def chances(self, text: str) -> np.ndarray:
        """Probability that each of a text's n words is replaced, (n,)."""
        words = text.split()
        count = Counter(words)
        t = np.array([count[w] * self.idf.get(w, math.log(self.size)) for w in words])  # n t(w): n cancels
        room: np.ndarray = t.max(initial=0) - t
        return np.minimum(self.share * room / room.mean(), 1) if room.any() else room

    def odds(self) -> dict[str, float]:
        """Probability that each word is the new one, by word."""
        return dict(zip(self.words, np.diff(self._below, prepend=0).tolist(), strict=True))

    def _replaced(self, text: str) -> str:
        words = text.split()
        draws = np.random.default_rng([self.seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))])
        gone, which = draws.random((2, len(words)))
        drawn = np.searchsorted(self._below, which, side="right")
        out = zip(words, gone < self.chances(text), drawn, strict=True)
        return " ".join(self.words[i] if away else w for w, away, i in out)
