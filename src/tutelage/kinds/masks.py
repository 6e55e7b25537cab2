"""Images with masks, in tables and folders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tutelage.data.tables import DataError, read_table
from tutelage.fit.build import Items
from tutelage.fit.evidence import estimate
from tutelage.kinds.base import Say
from tutelage.kinds.classes import at, require_two
from tutelage.kinds.images import Checked, ImageInputs, names_of, size_of, warn_of_shared
from tutelage.modalities.images.decoding import Size
from tutelage.modalities.images.examples import some
from tutelage.modalities.images.masks import LARGEST, Masks, read_masks
from tutelage.modalities.images.tables import MaskedRows, mask_rows, read_image_folder, read_mask_folder
from tutelage.run.options import Request
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import iou_influence, mean_dice, mean_iou


@dataclass(frozen=True)
class MaskInputs(ImageInputs):
    """Images, each pixel of which has a class; ``truth`` are the test masks, int16 of (n, h, w), -1 = void."""

    kind: ClassVar[str] = "segmentation"

    def scores(self, said: np.ndarray) -> dict[str, Any]:
        """What overlaps of the test images, (n, c, 2), as `tasks.segmentation.overlaps` gives them, are worth."""
        return mask_scores(said)


def read_mask_inputs(request: Request, say: Say) -> MaskInputs:
    """Read and check the tables or folders of a segmentation."""
    found, more, test = _rows(request, request.train), None, None
    if request.unlabelled is not None:
        more = _rows(request, request.unlabelled, must_have=False)
    if request.test is not None:
        test = masked_only(_rows(request, request.test), request.masks, say)
    check = Checked(request, say)
    train, sizes = check(found)
    known, place = has_mask(train), at(request.train, request.masks)
    if not known.any():
        raise DataError(f"{place}: every mask{check.of_these} is empty; give some images a mask")
    size, labelled, parts = size_of(request, sizes), train.where(known), [train.where(~known)]
    labelled, masks = _masks(check, labelled, sizes[known], size, request.classes)
    if request.evidence and len(labelled) == 1:
        raise DataError(
            f"{place}: one image has a mask{check.of_these}; give one more a mask (the evidence needs two), or pass "
            "--no-evidence"
        )
    classes = [str(number) for number in range(masks.classes)]
    require_two([classes[i] for i in np.flatnonzero(masks.pixels)], place)
    for line in masks.words():
        say(line)
    truth = None
    if more is not None:
        more, of_more = check(more)
        parts.append(more)
        if has_mask(more).any():
            unknown = np.full(len(parts[0]) * size[0] * size[1], -1, dtype=np.int16)
            there = _read(request, more, of_more, size, LARGEST + 1).ids
            truth = np.append(unknown, np.where(there < masks.classes, there, -1))
    pool = [source for part in parts for source in part.sources]
    items = Items(Segmentation(masks.classes), labelled.sources, masks.targets(), pool, truth)
    names = names_of(parts)
    if test is None:
        return MaskInputs(items, classes, size=size, left_out=tuple(check.left_out), names=names)
    test, of_test = check(test)
    test, true = _masks(check, test, of_test, size, masks.classes)
    warn_of_shared(test, [*labelled.sources, *pool])
    return MaskInputs(items, classes, test.sources, true.ids, size=size, left_out=tuple(check.left_out), names=names)


def read_test_masks(request: Request, classes: int, size: Size, say: Say) -> tuple[MaskedRows, np.ndarray]:
    """The images of the test table or folder that have a mask and can be read, and their masks at a size, (n, h, w)."""
    assert request.test is not None
    check = Checked(request, say)
    test, sizes = check(masked_only(_rows(request, request.test), request.masks, say))
    test, masks = _masks(check, test, sizes, size, classes)
    return test, masks.ids


def _rows(request: Request, path: Path, must_have: bool = True) -> MaskedRows:
    """Images and masks of a file or folder; masks that it need not have are left out where it lacks them."""
    if not path.is_dir():
        table = read_table(path, request.charset)
        assert request.images is not None
        there = must_have or request.masks in table
        return mask_rows(table, path, request.images, request.masks if there else None)
    if must_have or ((path / "images").is_dir() and (path / "masks").is_dir()):
        return read_mask_folder(path)
    plain = read_image_folder(path, labels=False)
    return MaskedRows(plain.file, plain.sources, [None] * len(plain), plain.rows, plain.names, plain.ignored)


def _masks(
    check: Checked, found: MaskedRows, sizes: np.ndarray, size: Size, classes: int | None
) -> tuple[MaskedRows, Masks]:
    """The images whose masks can be read, and those."""
    masks = _read(check.request, found, sizes, size, classes)
    if not masks.faults:
        return found, masks
    check.say(f"Left out: {len(masks.faults)} of {len(found)} masks; {some(list(masks.faults.values()))}.")
    check.left_out += masks.faults.values()
    good = np.array([i not in masks.faults for i in range(len(found))])
    return found.where(good), replace(masks, ids=masks.ids[good])


def _read(request: Request, found: MaskedRows, sizes: np.ndarray, size: Size, classes: int | None) -> Masks:
    return read_masks(
        found.masks, size, found.rows, found.file,
        sizes=sizes, void=request.void, classes=classes, skip_bad=request.skip_bad,
    )  # fmt: skip


def has_mask(found: MaskedRows) -> np.ndarray:
    """Which images have a mask, (n,)."""
    return np.array([mask is not None for mask in found.masks], dtype=bool)


def masked_only(test: MaskedRows, masks: str | None, say: Say) -> MaskedRows:
    """The images of a test table that have a mask; DataError where there are none."""
    known = has_mask(test)
    if not known.any():
        raise DataError(f"{at(test.file, masks)}: every mask is empty; nothing to score on")
    if not known.all():
        say(f"Not scored: {int((~known).sum())} images of {test.file} without a mask.")
    return test.where(known)


def mask_scores(found: np.ndarray) -> dict[str, Any]:
    """Mean IoU with its interval over images, mean Dice, and the IoU of each class, None where it does not occur.

    Args:
        found: overlaps of the images, (n, c, 2).
    """
    interval = estimate(iou_influence(found), "mean IoU")
    each = [float(both / either) if either else None for both, either in found.sum(0)]
    return {
        "rows": len(found), "measure": "mean IoU", "miou": mean_iou(found), "dice": mean_dice(found),
        "interval": [interval.low, interval.high], "iou_by_class": each,
    }  # fmt: skip
