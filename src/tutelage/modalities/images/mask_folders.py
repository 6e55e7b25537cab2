"""Folders of images and masks, as tools and data sets lay them out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.examples import shown, some
from tutelage.modalities.images.folders import IMAGES, rows_of
from tutelage.modalities.images.naming import MASK_WORDS, OTHER_WORDS, pairs
from tutelage.modalities.images.tables import MaskedRows
from tutelage.modalities.images.walking import SPLITS, Found, folder, hidden, images_in, plain, say_links
from tutelage.tables import UNHEARD, DataError, Notes
from tutelage.tables.exports.unread import beside, refuse_parts

MASKS = (
    "masks", "mask", "labels", "label", "segmentationclass", "segmentationclassraw", "segmentation", "segmentations",
    "annotations", "annotation", "annots", "annot", "anns", "ann", "seg", "segs", "gtfine", "gt", "groundtruth",
    "targets", "target", "masksmachine", "labelids", "semantic",
)  # fmt: skip
"""Names, in small letters alone, of the folders of masks, from the surest on."""
PHOTOS = (".jpg", ".jpeg", ".jpe", ".jfif", ".heic")
"""Endings of photos, which masks do not have where files with one name lie in one folder."""
NNUNET = re.compile(r"(images|labels)(Tr|Ts|Val)")
"""Pattern of the names of nnU-Net's folders."""
FIRST, LAST = re.compile(r"^[A-Za-z0-9]+[^A-Za-z0-9]+"), re.compile(r"[^A-Za-z0-9]+[A-Za-z0-9]+$")
"""Patterns of the first and of the last word of a name, with the signs that part it from the others."""


@dataclass(frozen=True)
class Layout:
    """Where images and masks lie.

    Attributes:
        root: folder that the names of images count from.
        images: folder of the images.
        masks: folder of the masks, which may be that of the images.
    """

    root: Path
    images: Path
    masks: Path


def layouts(root: Path) -> list[Layout]:
    """Folders of images and of masks within a folder, such as images and masks, or train and train_masks.

    A folder of masks counts only if there is an image in it.
    """
    if (root / "images").is_dir() and (root / "masks").is_dir():
        return [Layout(root, root / "images", root / "masks")]
    try:
        within = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not hidden(entry.name)]
    except OSError:  # said when the folder is read
        return []
    named = {_part(entry.name): entry for entry in within if _may_be_part(_part(entry.name)) and _has_image(entry)}
    return [Layout(root, named[images], named[masks]) for images, masks in _partners(list(named))]


def _part(name: str) -> str:
    """Name in small letters alone; of the folders of nnU-Net with that of the part of the data set first.

    >>> _part("imagesTr"), _part("labelsTs"), _part("Train_Images")
    ('trimages', 'tslabels', 'trainimages')
    """
    found = NNUNET.fullmatch(name)
    return plain(found[2] + found[1] if found else name)


def _may_be_part(name: str) -> bool:
    """Whether a folder of this name may hold images beside masks, or masks."""
    return name in SPLITS or name.endswith((*IMAGES, *MASKS))


def _partners(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names of folders of images, each with that of its masks."""
    found = []
    plain_images = [name for name in IMAGES if name in names]
    plain_masks = [name for name in MASKS if name in names]
    if plain_images and plain_masks:
        found.append((plain_images[0], plain_masks[0]))
    for name in names:
        stem = next(
            (name[: -len(m)] for m in sorted(MASKS, key=len, reverse=True) if name.endswith(m) and name != m), ""
        )
        of_images = [stem] * (stem in SPLITS) + [stem + image for image in IMAGES] * bool(stem)
        found += [(image, name) for image in of_images if image in names][:1]
    images = dict(reversed(found))
    return [(image, mask) for image, mask in found if images[image] == mask]


def _has_image(entry: Path) -> bool:
    return any(name.lower().endswith(ENDINGS) for _, _, files in os.walk(entry) for name in files if not hidden(name))


def layout_of(path: str | Path) -> Layout:
    """Where the images and masks of a folder lie: in two folders within it, in one beside it, or in itself.

    Raises:
        DataError: the folder is missing, or it is not clear where its masks are.
    """
    root = folder(path)
    found = layouts(root)
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        commands = "; ".join(f"--train {shown(each.images)}" for each in found)
        raise DataError(f"{root}: it has several folders of images with masks; name one of them: {commands}")
    near = [each for each in layouts(root.resolve().parent) if each.images == root.resolve()]
    if near:
        return Layout(root, root, near[0].masks)
    _refuse_above(root)
    return Layout(root, root, root)


def _refuse_above(root: Path) -> None:
    """Refuse a folder above those of images and masks, such as one of parts of a data set, or VOCdevkit."""
    within = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not hidden(entry.name)]
    if parts := [entry for entry in within if len(layouts(entry)) == 1]:
        commands = "; ".join(f"--train {shown(entry)}" for entry in parts)
        raise DataError(f"{root}: the folders of images and of masks are one folder deeper; name it: {commands}")


def images_within(path: Path) -> Path:
    """Folder of the images within a folder of images and masks; the folder itself where there are no masks."""
    found = layouts(path)
    return found[0].images if len(found) == 1 else path


def has_masks(path: Path) -> bool:
    """Whether a folder has one folder of images and one of masks in it, or masks beside images and no folders."""
    if not path.is_dir():
        return False
    found = layouts(path)
    if found or any(entry.is_dir() and not hidden(entry.name) for entry in path.iterdir()):
        return len(found) == 1
    files = [entry for entry in path.iterdir() if entry.name.lower().endswith(ENDINGS) and not hidden(entry.name)]
    photos = {entry.stem for entry in files if entry.suffix.lower() in PHOTOS}
    if any(entry.suffix.lower() == ".png" and entry.stem in photos for entry in files):
        return True
    images = {entry.stem for entry in files if not _is_mask(entry.stem)}
    masks = [entry.stem for entry in files if _is_mask(entry.stem)]
    return any(bool(images & {FIRST.sub("", stem), LAST.sub("", stem)}) for stem in masks)


def read_mask_folder(path: str | Path, notes: Notes = UNHEARD, skip_bad: bool = False) -> MaskedRows:
    """Images and masks of a folder, such as one with the folders ``images`` and ``masks``.

    A mask has the name of its image but for the ending, or all masks' names have one beginning or end besides, such as
    "_mask". Images without a mask are unlabelled.

    Args:
        path: the folder.
        notes: takes a sentence on where masks are and how they are named.
        skip_bad: whether masks without an image are left out; else they are an error.

    Raises:
        DataError: a folder is missing, there is no image, a mask has no image, or two images or masks have one name.
    """
    there = layout_of(path)
    if there.images == there.masks:
        return _of_one_folder(there, notes, skip_bad)
    found = [images_in(each) for each in (there.images, there.masks)]
    say_links(found, there.root, notes)
    if not found[0].images:
        raise DataError(f"{there.images}: no image in the folder{found[0].others}")
    if {plain(there.images.name), plain(there.masks.name)} != {"images", "masks"}:
        notes.say(f"Images are read from {there.images}, and masks from {there.masks}.")
    _ask_of_splits(there, found[0], notes)
    refuse_parts(there.masks)
    if not found[1].images and found[1].passed.keys() - {"hidden"}:
        arrays = ", such as by Pillow's Image.fromarray(array.astype('uint8')).save(FILE)"
        png = f"{there.masks}: no mask in the folder{found[1].others}; save masks as PNG"
        raise DataError(png + arrays if ".npy" in found[1].passed else beside(there.masks) or png)
    tops = _tops(there, found)
    images, masks = (_by_stem(where, each.images) for where, each in zip(tops, found, strict=True))
    try:
        matched, rest = pairs(list(images), list(masks), str(there.masks), notes, skip_bad)
    except DataError as error:
        raise DataError(beside(there.masks) or str(error)) from error
    passed = found[0].passed + found[1].passed
    if rest:
        passed["beside the masks"] = len(rest)
    rows = rows_of(there.root, [(file, None) for file in images.values()], passed)
    paired = [str(masks[matched[stem]]) if stem in matched else None for stem in images]
    return MaskedRows(rows.file, rows.sources, list(paired), rows.rows, rows.names, passed=rows.passed)


def _tops(there: Layout, found: Sequence[Found]) -> list[Path]:
    """Folders from which names of images and masks count: deeper ones where all masks are in one, as in trimaps."""
    common = [Path(os.path.commonpath([file.parent for file in each.images])) for each in found if each.images]
    tops = [there.images, there.masks]
    same = len(common) < 2 or common[0].relative_to(tops[0]) == common[1].relative_to(tops[1])
    return tops if same else common


def _of_one_folder(there: Layout, notes: Notes, skip_bad: bool) -> MaskedRows:
    """Images and masks that lie in one folder: photos beside PNGs of their names, or masks named IMAGE_mask."""
    found = images_in(there.images)
    say_links([found], there.root, notes)
    files = {file.relative_to(there.images): file for file in found.images}
    masks = [name for name in files if _is_mask(name.stem)]
    photos = {name.with_suffix("").as_posix(): name for name in files if name.suffix.lower() in PHOTOS}
    if not masks:
        masks = [n for n in files if n.suffix.lower() not in PHOTOS and n.with_suffix("").as_posix() in photos]
    if not masks:
        names = some([shown(name.as_posix()) for name in files], 3)
        raise DataError(
            beside(there.images)
            or f"{there.images}: no masks; wanted are folders of images and of masks (such as images and masks), or in "
            f"one folder IMAGE.jpg beside IMAGE.png or IMAGE_mask.png; there is {names or 'no image' + found.others}"
        )
    images = {name: file for name, file in files.items() if name not in masks}
    if not images:
        raise DataError(f"{there.images}: all images are named like masks (the first: {shown(masks[0].as_posix())})")
    return _paired_in_one(there, images, {name: files[name] for name in masks}, found, notes, skip_bad)


def _paired_in_one(
    there: Layout, images: dict[Path, Path], masks: dict[Path, Path], found: Found, notes: Notes, skip_bad: bool
) -> MaskedRows:
    stems, of_masks = (_by_stem(there.images, list(each.values())) for each in (images, masks))
    matched, rest = pairs(list(stems), list(of_masks), str(there.images), notes, skip_bad)
    notes.say(f"{there.images}: {len(matched)} of {len(stems)} images have a mask beside them.")
    passed = found.passed + type(found.passed)({"beside the masks": len(rest)} if rest else {})
    rows = rows_of(there.root, [(file, None) for file in stems.values()], passed)
    paired = [str(of_masks[matched[stem]]) if stem in matched else None for stem in stems]
    return MaskedRows(rows.file, rows.sources, list(paired), rows.rows, rows.names, passed=rows.passed)


def _is_mask(stem: str) -> bool:
    """Whether a name ends, or begins, with a word that masks and other files beside images have."""
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", stem) if word]
    ends = {words[0], words[-1]} if len(words) > 1 else set()
    return bool(ends & (set(MASK_WORDS) | set(OTHER_WORDS) - {"image", "img", "rgb"}))


def _by_stem(where: Path, files: Sequence[Path]) -> dict[str, Path]:
    """Images of a folder by their paths without endings."""
    named: dict[str, Path] = {}
    for file in files:
        stem = file.relative_to(where).with_suffix("").as_posix()
        if stem in named:
            raise DataError(f"{shown(file)}: {shown(named[stem].name)} beside it has the same name but for its ending")
        named[stem] = file
    return named


def _ask_of_splits(there: Layout, found: Found, notes: Notes) -> None:
    """Ask whether all images are to be learnt from, where they lie in folders of the parts of a data set."""
    within = {file.relative_to(there.images).parts[0] for file in found.images if file.parent != there.images}
    split = sorted(name for name in within if plain(name) in SPLITS)
    if len(split) > 1:
        notes.ask(
            f"{there.images} has folders {', '.join(split)}, as of a data set that is split already, and all their "
            "images are taken together",
            "name a table of the images and masks of each part with --train and --test",
            page="split-already",
        )
