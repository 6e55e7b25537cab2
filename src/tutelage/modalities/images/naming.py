"""Names of masks that belong to names of images: equal ones, or ones with a common beginning or end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tutelage.data.nearest import SHORT, nearest
from tutelage.modalities.images.examples import shown, some
from tutelage.tables import DataError, Notes
from tutelage.tables.odd import counted

MASK_WORDS = (
    "mask", "masks", "label", "labels", "labelid", "labelids", "labeltrainids", "trainids", "seg", "segs",
    "segmentation", "segmented", "semantic", "annotation", "annotations", "annot", "gt", "groundtruth", "target", "l",
    "roi", "manual", "manual1", "bin", "binary",
)  # fmt: skip
"""Ends of what masks' names have before or after those of images, in small letters alone."""
OTHER_WORDS = (
    "color", "colors", "colour", "colours", "colored", "coloured", "overlay", "vis", "viz", "visualisation",
    "visualization", "preview", "instance", "instances", "instanceids", "instancetrainids", "polygons", "depth",
    "edge", "edges", "boundary", "contour", "prob", "probs", "image", "img", "rgb",
)  # fmt: skip
"""Ends of what other files beside masks have before or after the names of images, in small letters alone."""


CHANNEL = "_0000"
"""End of the names of nnU-Net's images, the number of their channel, which masks' names lack."""


@dataclass(frozen=True)
class Naming:
    """How masks are named after images: what stands before and after the part that both names share.

    Attributes:
        image: beginning and end of an image's name.
        mask: beginning and end of a mask's name.
    """

    image: tuple[str, str] = ("", "")
    mask: tuple[str, str] = ("", "")

    def image_of(self, mask: str) -> str | None:
        """Name of the image that a mask of this name belongs to; None where the name is another."""
        before, after = self.mask
        folder, _, name = mask.rpartition("/")
        if len(name) <= len(before) + len(after) or not (name.startswith(before) and name.endswith(after)):
            return None
        core = name[len(before) : len(name) - len(after)]
        return f"{folder}/{self.image[0]}{core}{self.image[1]}".removeprefix("/")

    def __str__(self) -> str:
        shared = "NAME" if any(self.image) else "IMAGE"
        own = f" of images named {self.image[0]}NAME{self.image[1]}" if any(self.image) else ""
        return f"{self.mask[0]}{shared}{self.mask[1]}{own}"

    @property
    def length(self) -> int:
        """Number of characters that the names do not share."""
        return sum(map(len, (*self.image, *self.mask)))

    @property
    def word(self) -> str:
        """What masks' names have besides, in small letters alone."""
        return re.sub("[^a-z0-9?]", "", "".join(self.mask).lower())


EQUAL = Naming()
"""Masks with the names of their images."""


def pairs(
    images: Sequence[str], masks: Sequence[str], where: str, notes: Notes, skip_bad: bool = False
) -> tuple[dict[str, str], list[str]]:
    """Name of the mask of each image that has one, by the image's name; and the masks' names that are passed over.

    Names are paths without endings. A mask belongs to the image of its name, or all masks' names have one beginning or
    end besides, such as "_mask".

    Args:
        images: names of the images.
        masks: names of the masks.
        where: folder of the masks, for messages.
        notes: takes a sentence on how masks are named.
        skip_bad: whether masks without an image are left out; else they are an error.

    Raises:
        DataError: a mask has no image, or more than one; the message names the forms of names that were tried.
    """
    known = set(images)
    if all(mask in known for mask in masks):
        return {mask: mask for mask in masks}, []
    lower = {image.casefold(): image for image in images}
    if len(lower) == len(images) and all(mask.casefold() in lower for mask in masks):
        notes.say(f"Masks in {where} have the names of their images but for large and small letters.")
        return {lower[mask.casefold()]: mask for mask in masks}, []
    tried = candidates(known, masks)
    every = {naming: found for naming in tried if (found := _all(naming, known, masks)) is not None}
    if every:
        naming = _chosen(every, where)
        notes.say(f"Masks in {where} are named {naming} ({len(masks)} masks).")
        return every[naming], []
    groups = _grouped(tried, known, masks)
    if groups is not None:
        naming = _of_groups(list(groups), where)
        rest = [mask for other, found in groups.items() if other != naming for mask in found.values()]
        others = ", ".join(str(other) for other in groups if other != naming)
        notes.say(f"Masks in {where} are named {naming}; passed over: {len(rest)} images named {others}.")
        return groups[naming], rest
    lonely = [mask for mask in masks if not any(naming.image_of(mask) in known for naming in tried)] or [
        mask for mask in masks if mask not in known
    ]
    fitting = [mask for mask in masks if mask not in lonely]
    if skip_bad and fitting:
        notes.say(f"Left out: {counted(len(lonely), 'mask')} in {where} without an image of that name: {some(lonely)}.")
        found, rest = pairs(images, fitting, where, notes)
        return found, [*rest, *lonely]
    forms, count = some([str(naming) for naming in tried], 4), f"{len(lonely)} of {len(masks)}"
    begun = [image for image in images if image and lonely[0].startswith(image)]
    near = max(begun, key=len, default=None) or nearest(lonely[0], images, SHORT)
    like = f"; the nearest image is {shown(near)}" if near else ""
    advice = "; --skip-bad leaves such masks out" if fitting else ""
    raise DataError(
        f"{where}/{shown(lonely[0])}: a mask without an image of its name ({count}); tried: {forms}{like}{advice}"
    )


def candidates(images: set[str], masks: Sequence[str]) -> list[Naming]:
    """Forms of names by which the first masks belong to images, those with the shortest additions first."""
    found = {EQUAL}
    ends = _ends_of_images(images)
    for mask in masks[:8]:
        name = mask.rpartition("/")[2]
        for before, after in _affixes(name):
            for image in ends:
                naming = Naming(image, (before, after))
                if naming.image_of(mask) in images:
                    found.add(naming)
    return sorted(found, key=lambda naming: (naming.length, naming.mask, naming.image))


def _ends_of_images(images: set[str]) -> list[tuple[str, str]]:
    """Beginnings and ends that all names of images share and that may not be those of the masks."""
    names = sorted(image.rpartition("/")[2] for image in images)
    name, last = names[0], names[-1]
    before = next((i for i in range(len(name)) if name[i] != last[i : i + 1]), len(name))  # they are sorted
    reverse = sorted(each[::-1] for each in names)
    after = next((i for i in range(len(reverse[0])) if reverse[0][i] != reverse[-1][i : i + 1]), len(reverse[0]))
    cuts = [i for i in range(1, len(name)) if _may_cut(name, i)]
    begins = ["", *(name[:i] for i in cuts if i <= before and _may_end(name[:i], "") and name[i].isalnum())]
    ends = [
        "",
        *[CHANNEL] * all(each.endswith(CHANNEL) for each in names),
        *(name[i:] for i in cuts if len(name) - i <= after and _may_end("", name[i:]) and name[i - 1].isalnum()),
    ]
    return [(b, e) for b in begins[:12] for e in ends[:12] if len(b) + len(e) < len(name)]


def _affixes(name: str) -> Iterator[tuple[str, str]]:
    """Beginnings and ends of a name that may be words besides the part in the middle."""
    cuts = [i for i in range(1, len(name)) if _may_cut(name, i)]
    for i in [0, *(i for i in cuts if name[i].isalnum())]:  # the part in the middle begins and ends with no sign
        for j in [*(j for j in cuts if name[j - 1].isalnum()), len(name)]:
            if i < j and (i, j) != (0, len(name)) and _may_end(name[:i], name[j:]):
                yield name[:i], name[j:]
    yield "", ""


def _may_cut(name: str, at: int) -> bool:
    """Whether a name may be cut in two there: at a sign, between a letter and a digit, or before a word for masks."""
    left, right = name[at - 1], name[at]
    switch = left.isdigit() != right.isdigit() or not (left.isalnum() and right.isalnum())
    return switch or name[at:].lower() in MASK_WORDS[:4] or name[:at].lower() in MASK_WORDS[:4]


def _may_end(before: str, after: str) -> bool:
    """Whether what stands before and after is made of words: each has a letter, or is empty."""
    return all(not part or any(c.isalpha() for c in part) for part in (before, after))


def _all(naming: Naming, images: set[str], masks: Sequence[str]) -> dict[str, str] | None:
    """Mask of each image that has one, where all masks belong to images by a form of names, one to one; else None."""
    found: dict[str, str] = {}
    for mask in masks:
        image = naming.image_of(mask)
        if image is None or image not in images or image in found:
            return None
        found[image] = mask
    return found


def _chosen(every: Mapping[Naming, dict[str, str]], where: str) -> Naming:
    """The form of names that counts, of several by which all masks belong to images."""
    best = next(iter(every))
    others = [naming for naming, found in every.items() if found != every[best]]
    if others and (sure := [naming for naming in every if naming.word in MASK_WORDS]):
        best, others = sure[0], [naming for naming in sure if every[naming] != every[sure[0]]]
    if others:
        raise DataError(
            f"{where}: masks may be named {best} or {others[0]}, which gives them other images; give a table with a "
            "column of images and one of masks"
        )
    return best


def _grouped(tried: Sequence[Naming], images: set[str], masks: Sequence[str]) -> dict[Naming, dict[str, str]] | None:
    """Masks in groups by form of names, where several files belong to an image; None where a mask is in no group."""
    groups: dict[Naming, dict[str, str]] = {}
    for mask in masks:
        naming = next((n for n in tried if n.image_of(mask) in images), None)
        if naming is None:
            return None
        image = naming.image_of(mask)
        groups.setdefault(naming, {})[str(image)] = mask
    return groups if len(groups) > 1 else None


def _of_groups(namings: Sequence[Naming], where: str) -> Naming:
    """The form of names of the masks, where other files lie beside them."""
    sure = [naming for naming in namings if _ends_in(naming.word, MASK_WORDS) or naming == EQUAL]
    strange = [naming for naming in namings if naming not in sure and not _ends_in(naming.word, OTHER_WORDS)]
    if len(sure) != 1 or strange:
        raise DataError(
            f"{where}: several files belong to one image; they are named {some([str(n) for n in namings], 6)}; keep "
            "the masks alone, or give a table with a column of images and one of masks"
        )
    return sure[0]


def _ends_in(word: str, words: Sequence[str]) -> bool:
    return any(word == each or (len(each) > 2 and word.endswith(each)) for each in words)
