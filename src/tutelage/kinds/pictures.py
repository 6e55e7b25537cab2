"""Base class of the kinds of images: their options, and how images are found, checked and named."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from tutelage.copies import Prints
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import HIDDEN, Dataset, Files, Make
from tutelage.kinds.entries import Entries, InFolder, InTable, Places
from tutelage.kinds.one_vote import cells_by_row
from tutelage.modalities.images.checking import ImageReport, check_images, look_at_images
from tutelage.modalities.images.copies import PicturePrints
from tutelage.modalities.images.decoding import Size, Source, require_read
from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.examples import require_pixels
from tutelage.modalities.images.facts import image_facts
from tutelage.modalities.images.folders import Declared, read_image_folder
from tutelage.modalities.images.mask_folders import images_within
from tutelage.modalities.images.reader import picture_key
from tutelage.modalities.images.tables import ImageRows, MaskedRows, image_rows
from tutelage.ops.checks import in_range
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs, holds_table, read
from tutelage.tables.name_lists import names_in
from tutelage.tables.odd import counted

Found = ImageRows | MaskedRows
"""Images of a table or a folder, perhaps with masks, before they are read."""


@dataclass(frozen=True, kw_only=True)
class Pictured(Kind):
    """A kind of images. Its fields are options that all such kinds have.

    Attributes:
        images: column of the images; a folder needs none.
        size: height and width, in pixels, that images are resized to; None chooses it by the images.
        flip: whether images are mirrored at random in training.
        skip_bad: whether images that cannot be read are left out; else they are an error.
        make: function that makes the user's own network; None takes the kind's own.
    """

    images: str | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    skip_bad: bool = False
    make: Make | None = field(default=None, metadata=HIDDEN)

    item_columns = ("images",)
    reads_folders: ClassVar[bool] = True
    shows_pictures: ClassVar[bool] = True
    prints_class = PicturePrints

    @property
    def own_network(self) -> bool:
        return self.make is not None

    def check_size(self, least: int) -> None:
        """Check that height and width of the option ``size`` are between ``least`` and 4096 pixels.

        Raises:
            ValueError: one is not.
        """
        for side in self.size or ():
            in_range("size", side, least, 4096)

    def _needed(self, files: Files) -> tuple[str, ...]:
        """Options of the columns that the tables need. A path without an ending is taken for a folder."""
        train, unlabelled, test = (
            path is not None and (path.suffix != "" or path.is_dir()) and holds_table(path)
            for path in (files.train, files.unlabelled, files.test)
        )
        return self.item_columns * (train or unlabelled or test) + self.label_columns * (train or test)

    def _require_scored(self, files: Files) -> None:
        """Check nothing: `_needed` names the columns of a table to score on, and a folder has none."""

    def settled(self, files: Files, notes: Notes = UNHEARD, others: Sequence[str] = ()) -> Self:
        return replace(self, skip_bad=self.skip_bad or files.how.skip_bad)

    def read_as(self, how: ReadAs) -> Self:
        return replace(self, skip_bad=how.skip_bad)

    def places(self, found: Found, path: Path, **columns: str | None) -> Places:
        """Places of images in a table or a folder, for messages.

        Args:
            found: the images.
            path: table or folder.
            columns: name of the column that holds each part of the entries, by part.
        """
        return InTable(found.file, found.rows, columns) if holds_table(path) else InFolder(found.file, found.names)

    def names_of(self, found: Found) -> list[str]:
        """Names of images in a report: the image's path, or its table and row."""
        file = Path(found.file).name
        return [f"{file}, {name}" if name.startswith("row ") else name for name in found.names]

    def say_ignored(self, found: Found, notes: Notes) -> None:
        """Say how many files and folders within a folder are passed over."""
        if found.ignored:
            each = ", ".join(f"{count} {reason}" for reason, count in found.passed.items())
            one = "file or folder that is hidden, no image by its ending,"
            count = counted(found.ignored, one, "files and folders that are hidden, not images by their ending,")
            notes.say(f"Passed over in {found.file}: {count} or not in a folder of a class ({each}).")

    def declared(self, how: ReadAs) -> Declared:
        """What the options say of the names of folders: which are classes, and which mean "no label"."""
        said = {name: getattr(self, name, None) or getattr(how, name, None) for name in ("classes", "unlabelled_as")}
        names = {k: names_in(v) if isinstance(v, str) else v for k, v in said.items() if not isinstance(v, int)}
        as_is = "as-is" in (getattr(self, "spelling", None), getattr(how, "spelling", None))
        return Declared(tuple(names.get("classes") or ()), tuple(names.get("unlabelled_as") or ()), as_is)

    def checked(self, found: Entries, notes: Notes = UNHEARD) -> tuple[Entries, tuple[str, ...]]:
        rows = found.places.rows if isinstance(found.places, InTable) else list(range(1, len(found) + 1))
        report = self.looked_at(found.items, rows, found.places.source, notes)
        sized = replace(found, sizes=report.sizes, turns=report.turns, looked=report, left_out=len(report.bad))
        return sized.where(report.good), tuple(report.faults.values())

    def looked_at(self, sources: Sequence[Source], rows: Sequence[int], file: str, notes: Notes) -> ImageReport:
        """Report on a check of images. Bad ones are a fault, unless they may be left out; what is odd is said.

        Args:
            sources: n images.
            rows: number of each image's row in the file.
            file: table or folder of the images.
            notes: takes the fault, and what is said.

        Raises:
            DataError: no image can be read.
        """
        report = look_at_images(sources, rows, file)
        some_good = bool(report.good.any()) or not len(sources)
        if not some_good:
            raise DataError(report.refused)
        if report.bad and not self.skip_bad:
            notes.fault(f"{report.refused}; --skip-bad leaves out what cannot be read")
            return report
        for line in report.words():
            notes.say(line)
        image_facts(report).tell(notes)
        return report

    def say_resized(self, sources: Sequence[Entries | None], size: Size, notes: Notes) -> None:
        """Note what is lost of the images of several sources when they are resized to ``size``."""
        for found in sources:
            if found is not None and found.looked is not None:
                image_facts(found.looked, size).tell_resized(notes)

    def exact_key(self, item: Any) -> Hashable:
        try:
            return picture_key(item)
        except OSError as e:  # a check of the images names those that cannot be read
            require_read(item, e)
            return str(item)

    def in_a_word(self, item: Any) -> str:
        return Path(item).as_posix() if isinstance(item, str | Path) else ""

    def label_in_words(self, label: Any) -> str:
        return str(label) if isinstance(label, str | int | Path) else "a mask"

    def prints(self, items: Sequence[Any], known: Prints | None = None) -> PicturePrints:
        return PicturePrints.of(items)

    def of_these(self, found: Entries) -> str:
        """Words, for a message, that limit it to the images that can be read; empty where none is left out."""
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

    def to_answer(self, path: Path, how: ReadAs, notes: Notes) -> tuple[pd.DataFrame, Found, np.ndarray, np.ndarray]:
        """A source of images to predict on.

        Returns:
            The table, of a folder a table of its images' names; the n images; the mask of the images that can be read,
            (n,); and heights and widths in pixels, (n, 2).

        Raises:
            DataError: an image cannot be read, and none may be left out.
        """
        if not holds_table(path):
            found = read_image_folder(images_within(path), labels=False)
            table = pd.DataFrame({"image": found.names})
        else:
            if path.suffix.lower() in ENDINGS:
                raise ValueError(f"{path}: one image; put it in a folder, and name that")
            table = read(path, how, notes).frame
            if self.images is None:
                raise ValueError(f"{path}: a run trained on a folder needs --images COLUMN, or a folder of images")
            found = image_rows(table, path, self.images, notes=notes)
        report = self.read_as(how).looked_at(found.sources, found.rows, found.file, notes)
        notes.settle()
        return table, found, report.good, report.sizes

    def table_to_ask(self, items: Sequence[Any], frame: pd.DataFrame | None, path: Path) -> pd.DataFrame:
        column = str(self.images)
        places = [str(Path(item).resolve()) if isinstance(item, str | Path) else item for item in items]
        return pd.DataFrame({column: places}) if frame is None else frame.assign(**{column: places})

    def require_there(self, found: Entries, path: Path, how: ReadAs) -> None:
        for i, (cell, item) in enumerate(
            zip(cells_by_row(found, path, str(self.images), how), found.items, strict=True)
        ):
            named = Path(cell) if isinstance(cell, str) else None
            if (
                named is None
                or not isinstance(item, str)
                or named.exists()
                or Path(item).parts[-2:] == named.parts[-2:]
            ):
                continue
            raise DataError(f"{found.at('item', i)}: {cell!r} is not there any more; leave the row out")

    def given(self, X: Any, argument: str = "X") -> Any:
        """Images made of Python values: an array of pixels, or a list of encoded images (bytes) and paths.

        Raises:
            ValueError: an element is no image, or the pixels have a wrong shape or type.
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


def with_sizes(found: Entries, argument: str = "X") -> Entries:
    """Entries of images given as Python values, with their sizes. Every encoded image is checked.

    Args:
        found: the entries.
        argument: name of the argument that holds the images, for messages.

    Raises:
        DataError: an image cannot be read.
    """
    if isinstance(found.items, np.ndarray):
        return replace(found, sizes=np.tile(found.items.shape[1:3], (len(found), 1)))
    report = check_images(found.items, file=argument)
    return replace(found, sizes=report.sizes, turns=report.turns, looked=report if len(found) else None)


def _bytes(y: Any) -> bytes:
    """Bytes of class numbers or of a list of masks, the same in every process; no bytes of None."""
    if isinstance(y, np.ndarray) and y.dtype != object:
        return y.tobytes()
    return b"".join(np.asarray(each).tobytes() for each in (() if y is None else y))
