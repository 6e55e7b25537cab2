"""Images with labels, in tables and folders."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from tutelage.data.tables import DataError, read_table
from tutelage.fit.build import Items
from tutelage.kinds.base import Inputs, Say
from tutelage.kinds.classes import (
    at,
    class_names,
    class_scores,
    codes,
    codes_if_known,
    labelled_only,
    require_two,
    require_two_of_each,
)
from tutelage.modalities.images.decoding import Size, Source
from tutelage.modalities.images.examples import check_images
from tutelage.modalities.images.reader import BACKBONE, picture_key, size_for
from tutelage.modalities.images.tables import ImageRows, MaskedRows, image_rows, read_image_folder
from tutelage.run.options import Request
from tutelage.tasks import Classification

Rows = TypeVar("Rows", ImageRows, MaskedRows)


@dataclass(frozen=True)
class ImageInputs(Inputs):
    """Images, encoded or as paths, each of one class.

    Attributes:
        size: height and width that they are brought to.
        left_out: of the images that cannot be read, where they are and what is wrong.
        names: of the pool's images, as their tables or folders have them.
    """

    size: Size = (0, 0)
    left_out: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "image"
    things: ClassVar[str] = "images"

    def about(self) -> dict[str, Any]:
        return {"size": list(self.size), "left_out": list(self.left_out)}

    def scores(self, said: np.ndarray) -> dict[str, Any]:
        return class_scores(self.truth, said)


def read_image_inputs(request: Request, say: Say) -> ImageInputs:
    """Read and check the tables or folders of a classification of images."""
    found, more, test = _rows(request, request.train), None, None
    if request.unlabelled is not None:
        more = _rows(request, request.unlabelled, must_have=False)
    if request.test is not None:
        test = labelled_only(_rows(request, request.test), request.label, say)
    check = Checked(request, say)
    train, sizes = check(found)
    known = np.array([v is not None for v in train.labels])
    place = at(request.train, request.label)
    if not known.any():
        raise DataError(f"{place}: every label{check.of_these} is empty; label some rows")
    labelled, parts = train.where(known), [train.where(~known)]
    classes = class_names(labelled, say)
    require_two(classes, place)
    y = codes(classes, labelled)
    if request.evidence:
        require_two_of_each(request, labelled, y, classes)
    if more is not None:
        parts.append(check(more)[0])
    pool = [source for part in parts for source in part.sources]
    truth = codes_if_known(classes, [v for part in parts for v in part.labels])
    items = Items(Classification(len(classes)), labelled.sources, y, pool, truth)
    size = size_of(request, sizes)
    if test is None:
        return ImageInputs(items, classes, size=size, left_out=tuple(check.left_out), names=names_of(parts))
    test, _ = check(test)
    true = codes(classes, test)
    warn_of_shared(test, [*labelled.sources, *pool])
    return ImageInputs(
        items, classes, test.sources, true, size=size, left_out=tuple(check.left_out), names=names_of(parts)
    )


def read_test_images(request: Request, say: Say) -> ImageRows:
    """The images of the test table or folder that have a label and can be read."""
    assert request.test is not None
    return Checked(request, say)(labelled_only(_rows(request, request.test), request.label, say))[0]


def _rows(request: Request, path: Path, must_have: bool = True) -> ImageRows:
    """Images and labels of a file or folder; labels that it need not have are left out where it lacks them."""
    if path.is_dir():
        return read_image_folder(path, labels=must_have)
    table = read_table(path, request.charset)
    assert request.images is not None
    return image_rows(table, path, request.images, request.label if must_have or request.label in table else None)


@dataclass
class Checked:
    """Looks at all images of a file or folder; the faults of those that are left out are kept."""

    request: Request
    say: Say
    left_out: list[str] = field(default_factory=list)

    @property
    def of_these(self) -> str:
        """Of which images a fault is said, where some are left out."""
        return " of the images that can be read" if self.left_out else ""

    def __call__(self, found: Rows) -> tuple[Rows, np.ndarray]:
        """The images that can be read, and their heights and widths, (n, 2)."""
        if found.ignored:
            self.say(
                f"Passed over in {found.file}: {found.ignored} files and folders that are hidden, not images by their "
                "ending, or not in a folder of a class."
            )
        try:
            report = check_images(found.sources, found.rows, found.file, skip_bad=self.request.skip_bad)
        except DataError as fault:
            hint = "" if self.request.skip_bad else "; --skip-bad leaves out what cannot be read"
            raise DataError(f"{fault}{hint}") from fault
        for line in report.words():
            self.say(line)
        self.left_out += report.faults.values()
        return found.where(report.good), report.sizes[report.good]


def names_of(parts: Sequence[ImageRows | MaskedRows]) -> tuple[str, ...]:
    """What the images of several files are called: their paths, or their file and row."""
    return tuple(
        f"{Path(part.file).name}, {name}" if name.startswith("row ") else name for part in parts for name in part.names
    )


def size_of(request: Request, sizes: np.ndarray) -> Size:
    """The height and width that images of such sizes are brought to."""
    return request.size or size_for(request.network or BACKBONE, sizes)


def warn_of_shared(test: ImageRows | MaskedRows, learnt: Sequence[Source]) -> None:
    """Warn where test images are, byte for byte, also among those that are learnt from."""
    lengths = {_length(source) for source in test.sources}
    same = {picture_key(source) for source in learnt if _length(source) in lengths}
    shared = len(same & {picture_key(source) for source in test.sources}) if same else 0
    if shared:
        warn = f"{shared} images of {test.file} are also in the training data: the test score flatters."
        warnings.warn(warn, stacklevel=2)


def _length(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else Path(source).stat().st_size
