"""Readers of texts by their own words and letters: a lexical encoder alone, or beside a transformer's features."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
import torch
from torch import nn

from tutelage.data import Features, Tokens
from tutelage.data.view_loader import Augmentation
from tutelage.files import BadFileError
from tutelage.modalities.base import Encoding, HowRead, cannot_be_saved
from tutelage.modalities.encoder import LEXICAL, MINILM, Encoder, load_encoder
from tutelage.modalities.fingerprint import BESIDE
from tutelage.modalities.head import Head
from tutelage.modalities.text.fastest import in_precision
from tutelage.modalities.text.lexical import TEXTS_A_CHUNK, Lexicon
from tutelage.modalities.text.network import TextPass
from tutelage.modalities.text.reader import TextReader, without_words
from tutelage.modalities.units import Units
from tutelage.ops.meter import now
from tutelage.types import Params, Tick
from tutelage.weights import there

TIMED = 1 / 8
"""Share of the texts that is encoded to estimate the time, up to one chunk of them."""

SPREAD_OF = 64
"""Number of texts by which the spread of a transformer's features is estimated."""

SHARE = 1.0
"""Spread of the lexical features relative to that of the transformer's beside them."""


def text_reader(
    name: str | Path | None, max_length: int = 128, precision: str | None = None
) -> TextReader | LexicalReader | JoinedReader:  # fmt: skip
    """Reader of texts with the encoder of a name.

    Args:
        name: "lexical", the name of a transformer as `load_encoder` takes it, or such a name with "+lexical" after it;
            None is "minilm".
        max_length: tokens that a transformer reads of each text, at least 2; the lexical encoder reads all of it.
        precision: precision in which a frozen transformer computes, see `in_precision`.

    Raises:
        OSError: there is no such transformer, or it cannot be fetched.
        ValueError, ImportError: there is no such precision, or it lacks its packages.
    """
    name = str(name or MINILM)  # a folder may be a path
    if name == LEXICAL:
        return LexicalReader()
    first = TextReader(in_precision(load_encoder(name.removesuffix(BESIDE), max_length), precision))
    return JoinedReader(first) if name.endswith(BESIDE) else first


def encoders_there() -> list[str]:
    """Names of the encoders of texts whose weights are here, the usual one first, alone and beside the lexical one."""
    named = there("texts")
    return [*named, *(f"{name}{BESIDE}" for name in named), LEXICAL]


@dataclass(frozen=True)
class LexicalEncoding:
    """Lists of texts that a lexical encoder turns into features; they are computed anew, since that is cheap.

    Attributes:
        parts: lists of texts.
        lexicon: fitted lexical encoder.
    """

    parts: Sequence[Sequence[str]]
    lexicon: Lexicon

    @property
    def missing(self) -> int:
        """Number of distinct texts, none of which is in the cache."""
        return len(set().union(*self.parts))

    def seconds(self) -> float:
        """Estimate of the seconds that the texts take, timed on a few of them."""
        texts = [text for part in self.parts for text in part]
        sample = texts[:: max(len(texts) // TEXTS_A_CHUNK, round(1 / TIMED))]
        self.lexicon.rows(sample[:1])  # the first call is slower than the rest
        start = now()
        self.lexicon.rows(sample)
        return (now() - start) * len(texts) / max(len(sample), 1)

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features]:
        """Features of each list of texts, as examples."""
        total, done, found = sum(map(len, self.parts)), 0, []
        for part in self.parts:
            rows = np.empty((len(part), self.lexicon.width), np.float32)
            for i, chunk in enumerate(self.lexicon.batches(part)):
                rows[i * TEXTS_A_CHUNK :][: len(chunk)] = chunk
                done += len(chunk)
                if tick:
                    tick("encoding", done, total)
            found.append(Features(torch.as_tensor(rows).to(device)))
        return found


class WithLexicon:
    """What readers with a lexical encoder have in common: a head on the features is their network, whole.

    Attributes:
        lexicon: fitted lexical encoder; None before `fitted`.
    """

    lexicon: Lexicon | None

    @property
    def words(self) -> Lexicon:
        """The fitted lexical encoder.

        Raises:
            ValueError: it is not fitted.
        """
        if self.lexicon is None:
            raise ValueError("the lexical encoder is not fitted; call `fitted` with the texts to learn from")
        return self.lexicon

    @property
    def saved_bytes(self) -> int:
        """Bytes that a model's folder holds of the lexical encoder, about."""
        return self.words.size

    def network(self, classes: int) -> NoReturn:
        raise ValueError("a lexical encoder cannot be trained whole; name a transformer alone")

    def with_head(self, head: Head) -> NoReturn:
        self.network(head.classes)

    def disturbed(self, items: Sequence[str], share: float, seed: int) -> Sequence[str]:
        return without_words(items, share, seed)

    def unread(self, items: Sequence[str]) -> np.ndarray:
        """Mask of the texts of which no n-gram is known, (n,)."""
        return np.concatenate([np.empty(0, bool), *(~rows.any(1) for rows in self.words.batches(items))])

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def saved(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        """Plain values about the lexical encoder, which is written into the folder; see `Reader.about`."""
        if not isinstance(network, Head):
            raise cannot_be_saved(network)
        self.words.save(folder)
        return {"lexicon": self.words.fingerprint}

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        assert head is not None
        return head


@dataclass(frozen=True)
class LexicalReader(WithLexicon):
    """Reader of texts with a lexical encoder, which has to be fitted on texts first.

    Attributes:
        lexicon: fitted lexical encoder; None before `fitted`.
    """

    lexicon: Lexicon | None = None
    name: ClassVar[str] = "lexical"
    says: ClassVar[str] = LEXICAL
    per_feature: ClassVar[bool] = False
    still: ClassVar[str] = "fitted on labels and pool"
    encodes: ClassVar[bool] = True
    adapts: ClassVar[bool] = False

    @property
    def meaning(self) -> Self:
        return self

    def seen(self, items: Sequence[Any]) -> int:
        return 0

    def fitted(self, items: Sequence[str]) -> Self:
        return self if self.lexicon is not None else replace(self, lexicon=Lexicon.fitted(items))

    def reads(self, items: Sequence[str]) -> HowRead | None:
        return None

    def encoding(self, parts: Sequence[Sequence[str]], cache: Path | None) -> LexicalEncoding:
        return LexicalEncoding(parts, self.words)

    def examples(self, items: Sequence[str], device: torch.device | str = "cpu") -> Features:
        return LexicalEncoding([items], self.words).features(device)[0]

    def to(self, device: torch.device | str) -> Self:
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        return self.saved(network, folder)

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Self:
        return cls(_restored(about, folder))


@dataclass(frozen=True)
class JoinedEncoding:
    """Lists of texts that a transformer and a lexical encoder turn into features, side by side.

    Attributes:
        first: encoding by the transformer.
        second: encoding by the lexical encoder.
        factor: factor of the lexical features.
    """

    first: Encoding
    second: LexicalEncoding
    factor: float

    @property
    def missing(self) -> int:
        """Number of distinct texts, whose lexical features are not in the cache."""
        return self.second.missing

    def seconds(self) -> float:
        """Estimate of the seconds that both encoders take together."""
        return self.first.seconds() + self.second.seconds()

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features]:
        """Features of each list of texts, as examples: the transformer's, then the lexical ones."""
        pairs = zip(self.first.features(device, tick), self.second.features(device, tick), strict=True)
        return [Features(torch.cat([a.rows, b.rows * self.factor], dim=1)) for a, b in pairs]


@dataclass(frozen=True)
class JoinedReader(WithLexicon):
    """Reader of texts with a frozen transformer and a lexical encoder, whose features stand side by side.

    Attributes:
        first: reader with the transformer.
        lexicon: fitted lexical encoder; None before `fitted`.
        factor: factor of the lexical features, which makes their spread `SHARE` times that of the transformer's.
    """

    first: TextReader
    lexicon: Lexicon | None = None
    factor: float = 1.0
    name: ClassVar[str] = "joined"
    per_feature: ClassVar[bool] = False
    still: ClassVar[str] = "frozen, words fitted on labels and pool"
    encodes: ClassVar[bool] = True
    adapts: ClassVar[bool] = True

    @property
    def says(self) -> str:
        """Names of both encoders."""
        return f"{self.first.says} + {LEXICAL}"

    def fitted(self, items: Sequence[str]) -> Self:
        if self.lexicon is not None:
            return self
        lexicon, encoder = Lexicon.fitted(items), TextPass(self.first.encoder)
        few = [items[i] for i in np.random.default_rng(0).permutation(len(items))[:SPREAD_OF]]
        rows = np.concatenate([found for _, found in encoder.batches(few, [encoder.key(text) for text in few])])
        here, there = spread(rows), spread(lexicon.rows(few))
        return replace(self, lexicon=lexicon, factor=SHARE * here / there if here > 0 and there > 0 else 1.0)

    def reads(self, items: Sequence[str]) -> HowRead | None:
        return self.first.reads(items)

    def unread(self, items: Sequence[str]) -> np.ndarray:
        """Mask of the texts of which neither encoder reads anything, (n,)."""
        found = self.first.unread(items)
        left = np.flatnonzero(found).tolist()
        found[left] = super().unread([items[i] for i in left])
        return found

    def encoding(self, parts: Sequence[Sequence[str]], cache: Path | None) -> JoinedEncoding:
        second = LexicalEncoding(parts, self.words)
        return JoinedEncoding(self.first.encoding(parts, cache), second, self.factor)

    @property
    def meaning(self) -> TextReader:
        return self.first

    @property
    def encoder(self) -> Encoder:
        """The transformer."""
        return self.first.encoder

    @property
    def device(self) -> torch.device:
        """Device of the transformer."""
        return self.first.device

    @property
    def precision(self) -> str:
        """Precision in which the transformer computes, see `WithEncoder.precision`."""
        return self.first.precision

    def examples(self, items: Sequence[str], device: torch.device | str = "cpu") -> Tokens:
        return self.first.examples(items, device)

    @property
    def top(self) -> int | None:
        """Number of layers below the states that are the features, see `WithEncoder.top`."""
        return self.first.top

    def units(self, fast: bool = False, dropout: bool = True) -> Units:
        """Network whose outputs are the transformer's features, see `WithEncoder.units`."""
        return self.first.units(fast, dropout)

    def seen(self, items: Sequence[str]) -> int:
        """Number of texts whose labels the transformer was adapted to, see `WithEncoder.seen`."""
        return self.first.seen(items)

    def with_weights(self, weights: Params, adapted: str, seen: Iterable[str] = ()) -> Self:
        """Reader whose transformer has other weights, see `WithEncoder.with_weights`; the lexical encoder stays."""
        return replace(self, first=self.first.with_weights(weights, adapted, seen))

    def to(self, device: torch.device | str) -> Self:
        self.first.to(device)
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        saved = self.saved(network, folder)
        return saved | {"first": self.first.about(network, folder), "factor": self.factor}

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Self:
        return cls(TextReader.restored(about["first"], folder), _restored(about, folder), float(about["factor"]))


def spread(rows: np.ndarray) -> float:
    """Root mean square distance of rows, (n, d), from their mean.

    >>> spread(np.array([[0.0, 0.0], [6.0, 8.0]]))
    5.0
    """
    return float(np.sqrt(((rows - rows.mean(0)) ** 2).sum(1).mean()))


def _restored(about: dict[str, Any], folder: Path) -> Lexicon:
    lexicon = Lexicon.load(folder)
    if lexicon.fingerprint != about["lexicon"]:
        raise BadFileError(f"{folder}: the lexical encoder is not the one this model was trained with")
    return lexicon
