"""What kinds of images have in common: their options, how images are found, looked at and named."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tutelage.data.tables import DataError, read_table
from tutelage.kinds.base import HIDDEN, Dataset, Files, Kind, Make, silent
from tutelage.kinds.entries import Entries, InFolder, InTable, Places
from tutelage.modalities.images.decoding import Source
from tutelage.modalities.images.examples import check_images, require_pixels
from tutelage.modalities.images.reader import picture_key
from tutelage.modalities.images.tables import ImageRows, MaskedRows, image_rows, read_image_folder
from tutelage.ops.checks import in_range
from tutelage.types import Say

Found = ImageRows | MaskedRows
"""Images as they are found in a table or a folder."""


@dataclass(frozen=True, kw_only=True)
class Pictured(Kind):
    """A kind of images. Its fields are options that all such kinds have.

    Attributes:
        images: column of the images; a folder needs none.
        size: height and width that images are brought to.
        flip: a mirrored image is as likely as the image.
        skip_bad: leave out images that cannot be read, and say which.
        make: makes the user's own network.
    """

    images: str | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    skip_bad: bool = False
    make: Make | None = field(default=None, metadata=HIDDEN)

    item_columns = ("images",)
    reads_folders: ClassVar[bool] = True

    @property
    def own_network(self) -> bool:
        return self.make is not None

    def check_size(self, least: int) -> None:
        """Check that both sides of the size are in range.

        Raises:
            ValueError: one is not.
        """
        for side in self.size or ():
            in_range("size", side, least, 4096)

    def _needed(self, files: Files) -> tuple[str, ...]:
        """Columns of tables; what has no ending is a folder, also one that is not there."""
        train, unlabelled, test = (
            path is not None and path.suffix != "" and not path.is_dir()
            for path in (files.train, files.unlabelled, files.test)
        )
        return self.item_columns * (train or unlabelled or test) + self.label_columns * (train or test)

    def _require_scored(self, files: Files) -> None:
        """Nothing more: `_needed` has the columns of a table to score on, and a folder has none."""

    def places(self, found: Found, path: Path, **columns: str | None) -> Places:
        """How messages name images of a table or a folder."""
        return InFolder(found.file, found.names) if path.is_dir() else InTable(found.file, found.rows, columns)

    def names_of(self, found: Found) -> list[str]:
        """What images are called in a report: their paths, or their file and row."""
        file = Path(found.file).name
        return [f"{file}, {name}" if name.startswith("row ") else name for name in found.names]

    def say_ignored(self, found: Found, say: Say) -> None:
        """Say how many files of a folder are passed over."""
        if found.ignored:
            say(
                f"Passed over in {found.file}: {found.ignored} files and folders that are hidden, not images by their "
                "ending, or not in a folder of a class."
            )

    def checked(self, found: Entries, say: Say = silent) -> tuple[Entries, tuple[str, ...]]:
        rows = found.places.rows if isinstance(found.places, InTable) else list(range(1, len(found) + 1))
        try:
            report = check_images(found.items, rows, found.places.source, skip_bad=self.skip_bad)
        except DataError as fault:
            hint = "" if self.skip_bad else "; --skip-bad leaves out what cannot be read"
            raise DataError(f"{fault}{hint}") from fault
        for line in report.words():
            say(line)
        sized = replace(found, sizes=report.sizes, left_out=len(report.faults))
        return sized.where(report.good), tuple(report.faults.values())

    def warn_of_shared(self, test: Entries, learnt: Sequence[Entries]) -> None:
        """Warn where images to score on are, byte for byte, also among those that are learnt from."""
        lengths = {_length(source) for source in test.items}
        same = {picture_key(source) for part in learnt for source in part.items if _length(source) in lengths}
        shared = len(same & {picture_key(source) for source in test.items}) if same else 0
        if shared:
            source = f"{shared} images of {test.places.source}"
            warnings.warn(f"{source} are also in the training data: the test score flatters.", stacklevel=2)

    def of_these(self, found: Entries) -> str:
        """Which images a fault is said of, where some are left out."""
        return " of the images that can be read" if found.left_out else ""

    def digests(self, data: Dataset) -> dict[str, str]:
        items, found = data.items, {}
        parts = (("images", items.labelled, items.y), ("pool", items.pool, ()), ("test images", data.test, data.truth))
        for name, sources, y in parts:
            digest = hashlib.sha256(_bytes(y))
            for source in sources:
                digest.update(picture_key(source))
            found[name] = digest.hexdigest()
        return found

    def to_answer(self, path: Path, charset: str, say: Say) -> tuple[pd.DataFrame, Found, np.ndarray, np.ndarray]:
        """A table, its images, the mask of those that can be read (n,), and their heights and widths (n, 2)."""
        if path.is_dir():
            within = path / "images" if (path / "images").is_dir() and (path / "masks").is_dir() else path
            found = read_image_folder(within, labels=False)
            table = pd.DataFrame({"image": found.names})
        else:
            table = read_table(path, charset)
            if self.images is None:
                raise ValueError("--images must be given: the run was trained without such a column")
            found = image_rows(table, path, self.images)
        report = check_images(found.sources, found.rows, found.file, skip_bad=self.skip_bad)
        for line in report.words():
            say(line)
        return table, found, report.good, report.sizes

    def given(self, X: Any, argument: str = "X") -> Any:
        """Images as an array or a list.

        Raises:
            ValueError: an element that is no image; or an image that cannot be read (a DataError, which says which).
        """
        if isinstance(X, np.ndarray) and X.dtype.kind in "fiu" and X.ndim in (3, 4):
            require_pixels(X)
            return X
        pictures = X.iloc[:, 0].tolist() if isinstance(X, pd.DataFrame) else list(X)
        if pictures and all(isinstance(picture, np.ndarray) for picture in pictures):
            stacked = np.stack(pictures)
            require_pixels(stacked)
            return stacked if stacked.ndim == 4 else np.repeat(stacked[..., None], 3, axis=-1)
        for i, picture in enumerate(pictures):
            if not isinstance(picture, (bytes, Path)):
                kind = type(picture).__name__
                raise ValueError(f"{argument}[{i}] must be the bytes of an encoded image or a Path, got {kind}")
        return pictures


def sizes_of(pictures: Any, argument: str = "X") -> np.ndarray:
    """Heights and widths of images, (n, 2), after a look at every one.

    Raises:
        DataError: one cannot be read.
    """
    if isinstance(pictures, np.ndarray):
        return np.tile(pictures.shape[1:3], (len(pictures), 1))
    return check_images(pictures, file=argument).sizes if pictures else np.empty((0, 2), dtype=np.int64)


def _length(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else Path(source).stat().st_size


def _bytes(y: Any) -> bytes:
    """Class numbers, or a list of masks, as bytes that are the same in every process; none of None."""
    if isinstance(y, np.ndarray) and y.dtype != object:
        return y.tobytes()
    return b"".join(np.asarray(each).tobytes() for each in (() if y is None else y))
